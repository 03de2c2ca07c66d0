"""Where in a TOML file something stands; only an error needs it."""


def line_of(text: str, key: str) -> int | None:
    """Return the number of the line that gives a key its value; None if no line does."""
    table, _, entry = key.rpartition(".")
    inside = ""
    found = None
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip()
        if line.startswith("["):
            inside = line.partition("#")[0].strip().strip("[] ")
            if inside == key:
                found = number
        word = _key_of(line)
        if word and (inside, word) in ((table, entry), ("", key), ("", table)):
            found = found or number
        if (inside, word) == (table, entry):
            return number
    return found


def _key_of(line: str) -> str:
    """Return the key that a line gives a value, quoted or not."""
    if line[:1] in ("'", '"'):
        return line[1:].partition(line[0])[0]
    return line.partition("=")[0].strip()
