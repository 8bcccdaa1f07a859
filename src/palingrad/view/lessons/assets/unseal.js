// Opens the sealed data (sealing.py), before the page's scripts read it.

/** The text sealed in base64: its first four bytes start an xorshift generator, whose bytes are taken off the rest. */
function unsealed(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  let state = (bytes[0] << 24) | (bytes[1] << 16) | (bytes[2] << 8) | bytes[3] || 1;
  const found = bytes.subarray(4);
  for (let place = 0; place < found.length; place++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    found[place] ^= state >>> 24;
  }
  return new TextDecoder().decode(found);
}

const sealed = document.getElementById("data");
sealed.textContent = unsealed(sealed.textContent);
