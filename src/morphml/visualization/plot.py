"""A finished picture, and the one look that all of them share.

Pictures are made without pyplot: no global figure list, no display, nothing to close. Colours are
Okabe and Ito's, which people with any common colour blindness can tell apart; where colour says
something, shape or order says it too.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from morphml.errors import CallerError, MissingExtraError

if TYPE_CHECKING:  # matplotlib takes 0.3 s to import; it comes when a picture is drawn
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, PURPLE, SKY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#CC79A7",
    "#56B4E9",
)
GREY, INK = "#8A94A0", "#1F2933"
#: Dots per inch of PNG files.
PNG_DPI = 160

_LOOK = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 10.0,
    "axes.edgecolor": "#9AA5B1",
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E4E7EB",
    "grid.linewidth": 0.8,
    "xtick.color": "#52606D",
    "ytick.color": "#52606D",
    "legend.frameon": False,
    "legend.fontsize": 9.0,
    # Names are the user's: a $ in one is a dollar.
    "text.parse_math": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "morphml",
}


@dataclass(frozen=True, slots=True)
class Plot:
    """A picture that a notebook shows and ``save`` writes."""

    #: The matplotlib figure; yours to change.
    figure: Figure

    def svg(self) -> str:
        """An ``<svg>`` element with real text, without XML declaration; equal input, equal text."""
        buffer = io.StringIO()
        with look():
            self.figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
        text = buffer.getvalue()
        return text[text.index("<svg") :]

    def png(self) -> bytes:
        """A PNG image at 160 dots per inch."""
        buffer = io.BytesIO()
        with look():
            self.figure.savefig(buffer, format="png", dpi=PNG_DPI)
        return buffer.getvalue()

    def save(self, path: str | Path) -> Path:
        """Write the picture to ``path``; its ending says PNG or SVG.

        Raises:
            CallerError: when the ending is another one.
        """
        target = Path(path)
        match target.suffix.lower():
            case ".svg":
                target.write_text(self.svg(), encoding="utf-8")
            case ".png":
                target.write_bytes(self.png())
            case other:
                raise CallerError(f"a picture is a .png or .svg file, got {other!r} in {target}")
        return target

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        return self.png()


@contextmanager
def look() -> Iterator[None]:
    """Within it, matplotlib draws in MorphML's look.

    Raises:
        MissingExtraError: when matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415 heavy, and an optional extra
    except ImportError:
        raise MissingExtraError("drawing plots", extra="viz") from None
    # rcParams has one Literal per key in its type, which a plain table of settings cannot meet.
    with mpl.rc_context(_LOOK):  # type: ignore[arg-type]  # checked by matplotlib when it is set
        yield


@contextmanager
def canvas(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """An empty figure of ``width`` x ``height`` inches with one pair of axes."""
    with look():
        from matplotlib.figure import Figure  # noqa: PLC0415 heavy, and an optional extra

        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.add_subplot()


def note(axes: Axes, text: str) -> None:
    """Say in the middle of empty axes why there is nothing to see."""
    axes.set_xticks([])
    axes.set_yticks([])
    axes.grid(visible=False)
    axes.text(0.5, 0.5, text, ha="center", va="center", color=GREY, transform=axes.transAxes)


def legend(axes: Axes) -> None:
    """A legend on the title's line, where it covers no data."""
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, borderpad=0.2)
