"""Makes the pictures in `images/` that the README shows: `make screenshots`.

Needs Chromium. What the pictures show is a simulated guest, saved and then damaged in two places.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

ROOT = Path(__file__).parent.parent
IMAGES = Path(__file__).parent / "images"
DOMAIN = "sim:seed=7,vcpus=2,channels=8"

_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars",
)  # fmt: skip

_TERMINAL = """\
<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #f3f1ec; }}
main {{ margin: 24px; border-radius: 10px; background: #1b1f23; box-shadow: 0 6px 24px #0004; }}
header {{ padding: 12px 16px; display: flex; gap: 8px; }}
i {{ width: 12px; height: 12px; border-radius: 6px; background: #4a5057; }}
pre {{ margin: 0; padding: 4px 20px 20px; color: #e6e4df;
  font: 14px/1.5 "DejaVu Sans Mono", "Liberation Mono", monospace; }}
</style><main><header><i></i><i></i><i></i></header><pre>{code}</pre></main>
"""

_THEME = TerminalTheme(
    (27, 31, 35),
    (230, 228, 223),
    [
        (60, 66, 72), (255, 123, 114), (127, 211, 160), (240, 190, 98),
        (121, 170, 255), (210, 168, 255), (116, 205, 224), (230, 228, 223),
    ],
)  # fmt: skip
"""The eight colours of the terminal."""


def domctx(*arguments: str) -> str:
    """What the command prints, with its colours; findings are no failure here."""
    command = [sys.executable, "-m", "domctx_core", "--color", "always", *arguments]
    environment = os.environ | {"COLUMNS": "92"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode > 1:
        raise SystemExit(done.stderr)
    return done.stdout


def terminal(printed: dict[str, str]) -> str:
    """A page that looks like a terminal in which these commands were given."""
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(file=nowhere, record=True, width=100, force_terminal=True)
        for number, (command, output) in enumerate(printed.items()):
            console.print(Text(("\n" if number else "") + f"$ {command}", style="bold"))
            console.print(Text.from_ansi(output), soft_wrap=True)
        return console.export_html(theme=_THEME, inline_styles=True, code_format=_TERMINAL)


def shoot(page: Path, picture: Path, width: int, height: int) -> None:
    """A picture of a page, as a window of this size shows it; a pixel becomes four."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("Chromium is not installed; the distribution's package is `chromium`")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                chromium, *_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}",
                "--force-device-scale-factor=1.5", f"--screenshot={picture}", page.as_uri(),
            ],
            check=True, capture_output=True, cwd=page.parent,
        )  # fmt: skip


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder) / "guest.img"
        domctx("save", DOMAIN, "-o", str(image))
        shown = domctx(
            "show", str(image), "--type", "TSC_INFO", "--type", "EVENT_CHANNEL",
            "--instance", "0", "--instance", "1",
        )  # fmt: skip
        raw = bytearray(image.read_bytes())
        tsc = raw.index((3).to_bytes(4, "little") + bytes(4) + (20).to_bytes(8, "little"))
        raw[tsc + 16] = 7
        raw[tsc + 38] = 1
        image.write_bytes(raw)
        judged = domctx("verify", str(image)).replace(folder + os.sep, "")
        commands = {
            "domctx show guest.img --type TSC_INFO --type EVENT_CHANNEL --instance 0 --instance 1": shown,
            "domctx verify guest.img   # two bytes of it damaged": judged,
        }
        page = Path(folder) / "show.html"
        page.write_text(terminal(commands).replace(folder + os.sep, ""), encoding="utf-8")
        shoot(page, IMAGES / "show.png", 880, 1060)
        page = Path(folder) / "report.html"
        domctx("report", str(image), "-o", str(page))
        shoot(page, IMAGES / "report.png", 1180, 1860)


if __name__ == "__main__":
    main()
