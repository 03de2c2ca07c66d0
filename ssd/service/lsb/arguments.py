"""Read the arguments of a function as getopts of a POSIX shell does."""


def getopts(known: str, words: list[str]) -> tuple[dict[str, str], list[str], list[str]]:
    """Return the options with their values, the operands, and what is to be complained of.

    ``known``: letters, a colon after those that take a value. Options end at the first
    operand, a lone dash or ``--``. An unknown option, or a value that is missing, is
    complained of and passed over.
    """
    options: dict[str, str] = {}
    complaints: list[str] = []
    rest = list(words)
    while rest and rest[0].startswith("-") and rest[0] != "-":
        cluster = rest.pop(0)[1:]
        if cluster == "-":
            break
        while cluster:
            letter, cluster = cluster[0], cluster[1:]
            place = known.find(letter)
            if place < 0 or letter == ":":
                complaints.append(f"unknown option -{letter}")
            elif known[place + 1 : place + 2] != ":":
                options[letter] = ""
            elif cluster or rest:
                options[letter] = cluster or rest.pop(0)
                cluster = ""
            else:
                complaints.append(f"option -{letter} needs a value")
    return options, rest, complaints
