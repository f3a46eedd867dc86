"""The demonstration that `make demo` runs: a real saved domain, end to end.

It takes the state of two guests of a real Xen out of what `xl save` and libxenctrl gave, saves it
as domain context images, looks at them, checks them, loads them into simulated domains and sees
that nothing was lost. Everything goes through the command `domctx`, as a user would.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SHOWN = 24
"""Lines of a long output that are shown."""


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="domctx-demo-") as folder:
        work = Path(folder)
        for name in ("xen-4.17/pv1/pv1.save.no-pages", "xen-4.17/pv2l/pv2l.save.no-pages"):
            shutil.copy(HERE / name, work)
        shutil.copy(HERE / "pv2l.sim.json", work)
        first(work)
        second(work)
    return 0


def first(work: Path) -> None:
    say("1. What is in a file that `xl save` wrote? (a 64-bit PV Linux guest of Xen 4.17)")
    run(work, "show", "pv1.save.no-pages")
    say("2. Save that domain as a domain context image, and look at it.")
    run(work, "size", "stream:pv1.save.no-pages")
    run(work, "save", "stream:pv1.save.no-pages", "-o", "pv1.img")
    run(work, "show", "--type", "START", "--type", "TSC_INFO", "pv1.img")
    say("3. Is it sound? And for an older Xen?")
    run(work, "verify", "pv1.img")
    run(work, "verify", "--target-xen", "4.15", "pv1.img", expect=1)
    say("4. Load it into an empty simulated PV domain, save that, and compare the two images.")
    run(work, "load", "pv1.img", "sim:pv1.json,kind=pv,width=8,vcpus=2")
    run(work, "save", "sim:pv1.json", "-o", "again.img")
    compare(work, "pv1.img", "again.img")


def second(work: Path) -> None:
    say("5. The same with event channels: the live state of a guest that uses the 2-level ABI.")
    run(work, "save", "sim:pv2l.sim.json", "-o", "pv2l.img")
    run(work, "show", "--type", "EVTCHN_ABI", "--type", "EVENT_CHANNEL", "pv2l.img")
    run(work, "verify", "pv2l.img")
    run(work, "load", "pv2l.img", "sim:pv2l.json,kind=pv,width=8,vcpus=2")
    run(work, "save", "sim:pv2l.json", "-o", "pv2l-again.img")
    compare(work, "pv2l.img", "pv2l-again.img")
    say("6. What a damaged image looks like.")
    image = bytearray((work / "pv2l.img").read_bytes())
    image[-80] ^= 0x40  # a flag bit of the last event channel that has no meaning
    (work / "damaged.img").write_bytes(image)
    run(work, "load", "damaged.img", "sim:pv2l.json", expect=1)
    say("Done: state of two real guests was saved, shown, verified, loaded and saved again.")


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def run(work: Path, *arguments: str, expect: int = 0) -> None:
    """Run `domctx` in the folder `work`, showing the command and the start of what it prints."""
    print(f"$ domctx {' '.join(arguments)}", flush=True)
    done = subprocess.run(
        ["domctx", *arguments], cwd=work, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, check=False,
    )  # fmt: skip
    lines = done.stdout.splitlines()
    for line in lines[:SHOWN]:
        print(f"  {line}")
    if len(lines) > SHOWN:
        print(f"  ... {len(lines) - SHOWN} more lines")
    if done.returncode != expect:
        sys.exit(f"domctx {arguments[0]} gave {done.returncode}, and {expect} was expected")


def compare(work: Path, one: str, other: str) -> None:
    """Say which fields of two images differ."""
    before, after = fields(work / one), fields(work / other)
    print(f"  fields that differ between {one} and {other}:")
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            print(f"    {name}: {short(before.get(name))} -> {short(after.get(name))}")


def short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 48 else f"{text[:40]} ... {len(text)} characters"


def fields(image: Path) -> dict[str, Any]:
    """Every field of every record of an image, by its full name."""
    shown = subprocess.run(["domctx", "show", "--json", image], stdout=subprocess.PIPE, check=True)
    found = {}
    for record in json.loads(shown.stdout)["records"]:
        for path, value in leaves(record["body"]):
            found[f"{record['name']}[{record['instance']}]{path}"] = value
    return found


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, f"{path}.{key}")
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for index, item in enumerate(value):
            yield from leaves(item, f"{path}[{index}]")
    else:
        yield path, value


if __name__ == "__main__":
    sys.exit(main())
