"""Read the LSB header of an init script: the comment that says what it provides and needs.

LSB 3.1, "Comment Conventions for Init Scripts":

    ### BEGIN INIT INFO
    # Provides:          nova-compute
    # Required-Start:    $network $local_fs
    # Description:       The first line,
    #                    and one that continues it.
    ### END INIT INFO
"""

BEGIN, END = "### BEGIN INIT INFO", "### END INIT INFO"


def parse(text: str) -> "dict[str, str]":
    """Return keyword (lower case) -> text of the header in a script, {} if it has none.

    The case of keywords and spaces around a text are ignored. A line whose text begins after a
    tab or two spaces continues Description, whose lines are joined with newlines; after other
    keywords it is ignored. A repeated keyword adds its text after a space, as in
    systemd-sysv-generator.
    """
    found: dict[str, str] = {}
    keyword = None
    for line in section(text):
        if keyword == "description" and _continues(line):
            found[keyword] += f"\n{line[1:].strip()}"
            continue
        keyword, value = _split(line)
        if keyword is not None:
            found[keyword] = f"{found[keyword]} {value}" if keyword in found else value
    return found


def section(text: str) -> "list[str]":
    """Return the lines between the delimiters of the first header, or up to the end of the text."""
    inside = False
    lines = []
    for line in text.split("\n"):
        mark = line.strip()
        if mark == END and inside:
            break
        if inside:
            lines.append(line)
        elif mark == BEGIN:
            inside = True
    return lines


def words(header: "dict[str, str]", keyword: str) -> "list[str]":
    """Return the words of a list such as Required-Start, none if the header lacks it."""
    return header.get(keyword.lower(), "").split()


def _continues(line: str) -> bool:
    return line.startswith(("#\t", "#  "))


def _split(line: str) -> "tuple[str | None, str]":
    """Split ``# Keyword: text``; return (None, "") for any other line."""
    keyword, colon, value = line[1:].partition(":")
    keyword = keyword.strip().lower()
    if not line.startswith("#") or not colon or not keyword or " " in keyword:
        return None, ""
    return keyword, value.strip()
