"""How the prompt of each style ends, without and with principles."""

MEMBERS: dict[str, tuple[str, str]] = {
    "completion": ("\nAbstract:", "\nCheck:"),
    "standard": ("\nAbstract:", "\nCheck:"),
    "vicuna": (" ASSISTANT:", " ASSISTANT: Check:"),
}
