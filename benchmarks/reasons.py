"""Why rows of the report miss their bar: regular expressions of "family: name", and the reason."""

REASONS: dict[str, str] = {}
