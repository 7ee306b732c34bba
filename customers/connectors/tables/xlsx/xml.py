"""Parse XML in pieces: no entities, no tag or text longer than a cell may be."""

from collections.abc import Callable, Iterable
from xml.parsers import expat

from customers.connectors.tables.layout import LONGEST_FIELD, long_cell
from customers.connectors.tables.xlsx.package import damaged, too_large

LONGEST_TOKEN = 1 << 20
Start = Callable[[str, dict[str, str]], None]
End = Callable[[str], None]


class Parser:
    """An expat parser that tells local names, gathers text and refuses what could grow."""

    def __init__(self, start: Start, end: End) -> None:
        self.start, self.end = start, end
        self.fed = 0
        self.texts: list[str] = []
        self.length = 0
        self.is_text = False
        self.expat = expat.ParserCreate()
        self.expat.buffer_text = True
        self.expat.StartElementHandler = self._on_start
        self.expat.EndElementHandler = self._on_end
        self.expat.CharacterDataHandler = self._on_text
        self.expat.StartDoctypeDeclHandler = self._on_doctype

    def feed(self, pieces: Iterable[bytes]) -> Iterable[None]:
        """Parse piece by piece, and pause behind each."""
        try:
            for piece in pieces:
                self.fed += len(piece)
                self.expat.Parse(piece, False)
                if self.fed - self.expat.CurrentByteIndex > LONGEST_TOKEN + len(piece):
                    raise too_large()
                yield
            self.expat.Parse(b"", True)
            yield
        except (expat.ExpatError, ValueError, LookupError, OverflowError) as error:
            raise damaged() from error

    def run(self, pieces: Iterable[bytes]) -> None:
        """Parse all pieces."""
        for _pause in self.feed(pieces):
            pass

    def gather(self) -> None:
        """Begin to gather text."""
        self.texts, self.length, self.is_text = [], 0, True

    def gathered(self) -> str:
        """Return the text since ``gather`` and stop."""
        self.is_text = False
        return "".join(self.texts)

    def _on_start(self, name: str, attributes: dict[str, str]) -> None:
        self.start(name.rpartition(":")[2], attributes)

    def _on_end(self, name: str) -> None:
        self.end(name.rpartition(":")[2])

    def _on_text(self, text: str) -> None:
        if self.is_text:
            self.length += len(text)
            if self.length > LONGEST_FIELD:
                raise long_cell()
            self.texts.append(text)

    def _on_doctype(self, *_given: object) -> None:
        raise damaged()
