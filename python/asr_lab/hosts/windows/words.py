"""Command lines: how Windows PowerShell writes one for a program, and how programs take it apart again."""


def join(arguments: list[str]) -> str:
    """Return the command line that Windows PowerShell (up to 5.1) gives to a native program.

    An argument with blanks outside quotes is put in quotes; quotes inside are not escaped and an empty argument
    vanishes, as Windows PowerShell does it: text that relies on either breaks here as it breaks on a real host.
    """
    return " ".join(f'"{argument}"' if _wants_quotes(argument) else argument for argument in arguments if argument)


def _wants_quotes(argument: str) -> bool:
    inside = False
    for char in argument:
        if char == '"':
            inside = not inside
        elif char in " \t" and not inside:
            return True
    return False


def split(line: str) -> list[str]:
    """Return the arguments that a program finds in its command line (the rules of CommandLineToArgvW)."""
    found: list[str] = []
    word, has_word, inside, at = "", False, False, 0
    while at < len(line):
        char = line[at]
        if char == "\\":
            count = len(line) - at - len(line[at:].lstrip("\\"))
            at += count
            if at < len(line) and line[at] == '"':
                word += "\\" * (count // 2)
                if count % 2:
                    word += '"'
                    at += 1
            else:
                word += "\\" * count
            has_word = True
            continue
        if char == '"':
            inside = not inside
            has_word = True
        elif char in " \t" and not inside:
            if has_word:
                found.append(word)
            word, has_word = "", False
        else:
            word += char
            has_word = True
        at += 1
    return [*found, word] if has_word else found
