"""Operations that rearrange elements: shapes, slices, joins, gathers."""
