"""FHIRPath text to a syntax tree: the grammar of FHIRPath N1, whatever of it the compiler then knows."""

import re
from dataclasses import dataclass
from typing import Literal as OneOf


class PathError(ValueError):
    """What is wrong with a path, as a sentence's end: "has no function repeat"."""


@dataclass(frozen=True, slots=True)
class Literal:
    kind: OneOf["string", "integer", "decimal", "boolean", "moment", "time", "empty"]
    value: str


@dataclass(frozen=True, slots=True)
class Member:
    """``of.name``; at the start of a path ``of`` is This."""

    of: "Node"
    name: str


@dataclass(frozen=True, slots=True)
class This:
    """``$this``, or the start of a path: then not ``said``."""

    said: bool = False


@dataclass(frozen=True, slots=True)
class Constant:
    name: str  # without %


@dataclass(frozen=True, slots=True)
class Call:
    of: "Node"
    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Index:
    of: "Node"
    index: "Node"


@dataclass(frozen=True, slots=True)
class Operation:
    name: str  # "and", "=", "+", "is", ...
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Sign:
    name: str  # "-" or "+"
    of: "Node"


Node = Literal | Member | This | Constant | Call | Index | Operation | Sign

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?\*/)
    |(?P<moment>@\d{4}(?:-\d\d(?:-\d\d)?)?(?:T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?)?)?)
    |(?P<time>@T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<string>'(?:[^'\\]|\\.)*')
    |(?P<quoted>`(?:[^`\\]|\\.)*`)
    |(?P<constant>%(?:[A-Za-z_][A-Za-z0-9_]*|`[^`]*`|'[^']*'))
    |(?P<variable>\$[a-z]+)
    |(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<symbol><=|>=|!=|!~|[-+*/&|=~<>.,()\[\]{}])""",
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f"}

# Loosest first: FHIRPath N1, operator precedence.
_LEVELS = (
    ("implies",), ("or", "xor"), ("and",), ("in", "contains"), ("=", "~", "!=", "!~"), ("<", ">", "<=", ">="), ("|",),
    ("is", "as"), ("+", "-", "&"), ("*", "/", "div", "mod"),
)  # fmt: skip
_WORDS = {name for level in _LEVELS for name in level if name.isalpha()}


def parse(path: str) -> Node:
    """The tree of ``path``. Raises PathError."""
    parser = _Parser(_tokens(path))
    node = parser.level(0)
    if parser.kind != "end":
        raise PathError(f"can't be read from {parser.text!r} on")
    return node


def _tokens(path: str) -> list[tuple[str, str]]:
    found, place = [], 0
    while place < len(path):
        match = _TOKEN.match(path, place)
        if match is None:
            raise PathError(f"can't be read from {path[place : place + 20]!r} on")
        if match.lastgroup != "space":
            found.append((str(match.lastgroup), match[0]))
        place = match.end()
    return [*found, ("end", "")]


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._place = 0

    @property
    def kind(self) -> str:
        return self._tokens[self._place][0]

    @property
    def text(self) -> str:
        return self._tokens[self._place][1]

    def _next(self) -> str:
        text = self.text
        self._place += 1
        return text

    def _take(self, symbol: str) -> bool:
        taken = self.kind == "symbol" and self.text == symbol
        self._place += taken
        return taken

    def _expect(self, symbol: str) -> None:
        if not self._take(symbol):
            raise PathError(f"needs {symbol!r} before {self.text or 'its end'!r}")

    def level(self, number: int) -> Node:
        if number == len(_LEVELS):
            return self._signed()
        node = self.level(number + 1)
        while self.kind in ("symbol", "name") and self.text in _LEVELS[number]:
            name = self._next()
            node = Operation(name, node, self.level(number + 1))
        return node

    def _signed(self) -> Node:
        if self.kind == "symbol" and self.text in "+-":
            return Sign(self._next(), self._signed())
        return self._steps()

    def _steps(self) -> Node:
        node = self._term()
        while True:
            if self._take("."):
                node = self._invoked(node)
            elif self._take("["):
                node = Index(node, self.level(0))
                self._expect("]")
            else:
                return node

    def _term(self) -> Node:
        kind = self.kind
        if kind == "number":
            text = self._next()
            if (self.kind == "name" and self.text not in _WORDS) or self.kind == "string":
                raise PathError(f"has the quantity {text} {self.text}, which is not known here")
            return Literal("decimal" if "." in text else "integer", text)
        if kind in ("moment", "time"):
            return Literal(kind, self._next()[1:].removeprefix("T" if kind == "time" else ""))  # type: ignore[arg-type]
        if kind == "string":
            return Literal("string", _unescaped(self._next()))
        if kind == "constant":
            return Constant(self._next()[1:].strip("`'"))
        if kind == "variable":
            name = self._next()
            if name != "$this":
                raise PathError(f"has {name}, which is not known here")
            return This(said=True)
        if kind == "name" and self.text in ("true", "false"):
            return Literal("boolean", self._next())
        if self._take("("):
            node = self.level(0)
            self._expect(")")
            return node
        if self._take("{"):
            self._expect("}")
            return Literal("empty", "")
        return self._invoked(This())

    def _invoked(self, of: Node) -> Node:
        if self.kind not in ("name", "quoted"):
            raise PathError(f"needs a name before {self.text or 'its end'!r}")
        name = _unescaped(self._next()) if self.kind == "quoted" else self._next()
        if not self._take("("):
            return Member(of, name)
        arguments: list[Node] = []
        while not self._take(")"):
            if arguments:
                self._expect(",")
            arguments.append(self.level(0))
        return Call(of, name, tuple(arguments))


def _unescaped(text: str) -> str:
    def replace(found: re.Match[str]) -> str:
        return chr(int(found[1], 16)) if found[1] else _ESCAPES.get(found[2], found[2])

    escaped = re.sub(r"\\(?:u([0-9A-Fa-f]{4})|(.))", replace, text[1:-1])
    try:  # a character beyond U+FFFF is a pair of escapes
        return escaped.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise PathError("has half of a surrogate pair, which is no character") from None
