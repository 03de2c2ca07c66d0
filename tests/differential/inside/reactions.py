"""How targets react to signals."""

CHECK = 64  # the last real-time signal: dash runs its trap after all others

_REACTIONS = {
    "ignore": "",
    "log": 'echo "got {name} {signal}" >&9',
    "exit": "exit {word}",
    "slow": "sleep 0.4; exit 0",
    "rename": "printf {word} >/proc/$$/comm",
    "heir": '"$0" -c "kill -STOP \\$\\$" 8>&- 9>&- & exit 0',
}


def script(name: str, reactions: dict[str, str]) -> str:
    """Return what the target `name` runs, reacting to signals as `reactions` say."""
    lines = [f"trap 'echo \"mark {name}\" >&9' {CHECK}"]
    for number, reaction in reactions.items():
        verb, _, word = reaction.partition(" ")
        action = _REACTIONS[verb].format(name=name, signal=number, word=word)
        lines.append(f"trap '{action}' {number}")
    return "\n".join([*lines, f'echo "ready {name} $$" >&9', "while :; do read x <&8; done"])
