# SPDX-License-Identifier: MIT
"""What is changed: random single lines of the library, and the safeguards listed in safeguards.txt."""

import os
import random
import re

# What a line can be turned into: a pattern, and what replaces a match of it. One match of one of them makes a mutant.
OPERATORS = [
    (r"(?<![=!<>+\-*/|&^])==(?!=)", "!="),
    (r"!=", "=="),
    (r"(?<=\s)<=(?=\s)", "<"),
    (r"(?<=\s)<(?=\s)", "<="),
    (r"(?<=\s)>=(?=\s)", ">"),
    (r"(?<=\s)>(?=\s)", ">="),
    (r"&&", "||"),
    (r"\|\|", "&&"),
    (r"(?<=\s)\+(?=\s)", "-"),
    (r"(?<=\s)-(?=\s)", "+"),
    (r"(?<=\s)&(?=\s)", "|"),
    (r"(?<=\s)\|(?=\s)", "&"),
    (r"\+\+", "--"),
    (r"(?<!-)--(?!-)", "++"),
    (r"\+=", "-="),
    (r"-=", "+="),
    (r"(?<![\w!])!(?=[\w(])", ""),
    (r"\btrue\b", "false"),
    (r"\bfalse\b", "true"),
    (r"(?<![\w.])0(?![\w.])", "1"),
    (r"(?<![\w.])1u?(?![\w.])", "0"),
    (r"(?<![\w.])([2-9]|[1-9]\d+)(u?)(?![\w.])", r"(\1\2 + 1)"),
    (r"\bif \((?=.*\)( \{)?$)", "if (!("),  # closed by close_condition
    (r"\bbreak;", ";"),
    (r"\bcontinue;", ";"),
    (r"_acquire\(", "_relaxed("),
    (r"_release\((?=&)", "_relaxed("),
    (r"_acqrel\(", "_relaxed("),
    (r"_seqcst\(", "_relaxed("),
]

# A statement by itself, which may be left out: a call or an assignment, on one line.
STATEMENT = re.compile(r"^\s+(?!return\b|break\b|continue\b|goto\b|case\b|else\b|typedef\b|extern\b|static\b|const\b)"
                       r"(\*?[\w>.\-\[\]()]+(\+\+|--)|\*?[\w>.\-\[\]]+ [|&+\-]?= .*|[\w>.\-]+\(.*\));(\s*/\*.*\*/)?$")

# Not of the library's behaviour: checks, steps that are held up, reports, declarations for the compiler.
PASSED_BY = re.compile(r"^\s*(#|/?\*|//|extern |typedef |_Static_assert|OURO_API|OURO_BEGIN|OURO_END|\w+:$|[{}]+;?$|$)|OI_ASSERT|oi_perturb|oi_tsan_|"
                       r"__attribute__|^OURO_DEFINE")


class Mutant:
    """A change of one place in one file."""

    def __init__(self, name, path, line, old, new, what=""):
        self.name, self.path, self.line, self.old, self.new, self.what = name, path, line, old, new, what

    def apply(self, top):
        """Writes the changed file below top."""
        target = os.path.join(top, self.path)
        with open(target, encoding="utf-8") as file:
            text = file.read()
        at = offset_of(text, self.line) if self.line else text.index(self.old)
        if not text.startswith(self.old, at):
            raise ValueError(f"{self.name}: {self.path} is not what it was")
        with open(target, "w", encoding="utf-8") as file:
            file.write(text[:at] + self.new + text[at + len(self.old):])


def offset_of(text, line):
    at = 0
    for _ in range(line - 1):
        at = text.index("\n", at) + 1
    return at


def sources(top):
    for folder, _, names in sorted(os.walk(os.path.join(top, "lib"))):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                yield os.path.relpath(os.path.join(folder, name), top)


def without_comments(text):
    """The same lines, with comments and what is in quotation marks as blanks."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group())
    return re.sub(r"/\*.*?\*/|\"(\\.|[^\"\\])*\"|'(\\.|[^'\\])'", blank, text, flags=re.S)


def close_condition(line):
    """For `if (!(`: the second parenthesis, if the condition ends on the line."""
    depth = 0
    start = line.index("if (!(") + 3
    for i in range(start, len(line)):
        depth += {"(": 1, ")": -1}.get(line[i], 0)
        if depth == 1 and line[i] == ")":
            return line[:i] + ")" + line[i:]
    return None


def variants(line, code):
    """All mutants of a line; code is the line without comments."""
    if PASSED_BY.search(line) or not code.strip():
        return
    for pattern, replacement in OPERATORS:
        for match in re.finditer(pattern, code):
            changed = line[:match.start()] + match.expand(replacement) + line[match.end():]
            if replacement == "if (!(":
                changed = close_condition(changed)
            if changed and changed != line:
                yield changed
    if STATEMENT.match(line):
        yield re.sub(r"\S.*", ";", line, count=1)


def random_mutants(top, seed):
    """Without end; each line is as likely as any other, and so is each change of a line."""
    lines = []
    for path in sources(top):
        with open(os.path.join(top, path), encoding="utf-8") as file:
            text = file.read()
        for number, (line, code) in enumerate(zip(text.split("\n"), without_comments(text).split("\n")), 1):
            found = list(variants(line, code))
            if found:
                lines.append((path, number, line, found))
    rng = random.Random(seed)
    rng.shuffle(lines)
    for path, number, line, found in lines:
        yield Mutant(f"{path}:{number}", path, number, line, rng.choice(found))


def safeguards(top):
    """Those of safeguards.txt: `name: what is missing`, `file PATH`, then lines that start with `-` for what is there and with `+` for what
    is put in its place."""
    mutant = None
    with open(os.path.join(top, "tests", "mutation", "safeguards.txt"), encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if not line.strip() or line.startswith("#"):
                continue
            if line.startswith("file "):
                mutant.path = line[5:]
            elif line.startswith("-"):
                mutant.old += line[1:] + "\n"
            elif line.startswith("+"):
                mutant.new += line[1:] + "\n"
            else:
                if mutant:
                    yield checked(top, mutant)
                name, what = line.split(": ", 1)
                mutant = Mutant(name, "", 0, "", "", what)
    if mutant:
        yield checked(top, mutant)


def checked(top, mutant):
    mutant.old, mutant.new = mutant.old[:-1], mutant.new[:-1]
    with open(os.path.join(top, mutant.path), encoding="utf-8") as file:
        count = file.read().count(mutant.old)
    if count != 1:
        raise SystemExit(f"safeguards.txt: {mutant.name}: its text is {count} times in {mutant.path}")
    return mutant
