#!/bin/sh
# Chromium for the tests of the page: nothing to do where it is, else from the system's packages.
for name in chromium-headless-shell chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
[ -n "$PALINGRAD_CHROMIUM" ] && [ -x "$PALINGRAD_CHROMIUM" ] && exit 0
wait="-o DPkg::Lock::Timeout=300" # seconds, for another installation that is under way
if command -v apt-get >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then become=""; elif command -v sudo >/dev/null 2>&1; then become="sudo"; else become="no"; fi
    if [ "$become" != no ]; then
        echo "installing Chromium, which the tests of the page run in"
        $become apt-get $wait update -qq
        for name in chromium-headless-shell chromium; do # older releases have only the second
            $become apt-get $wait install -y -qq $name fonts-dejavu fonts-noto-core >/dev/null && exit 0
        done
    fi
fi
echo "The tests of the page need Chromium. Install it (Debian: apt-get install" >&2
echo "chromium-headless-shell fonts-dejavu fonts-noto-core), or say where a Chromium or Chrome is in PALINGRAD_CHROMIUM." >&2
exit 1
