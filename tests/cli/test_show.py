"""`domctx show`: text, JSON, JSON lines, hex, and images that cannot be read to their end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from cli_runs import IMAGE, PADDING, Domctx


def test_show_imports_neither_rich_nor_pluggy(tmp_path: Path) -> None:
    path = tmp_path / "x.img"
    path.write_bytes(IMAGE)
    code = (
        "import sys; from domctx_core.cli import main; main(['show', sys.argv[1]]);"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('rich', 'pluggy')),"
        " file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, check=True)
    assert done.stderr == b"[]\n"


class TestShow:
    def test_text(self, domctx: Domctx) -> None:
        run = domctx("show", domctx.file("x.img"))
        assert run.status == 0
        assert run.err == ""
        lines = run.out.splitlines()
        assert lines[0].endswith("x.img: domain context, version 1, little-endian")
        assert "0x00000018  #1 TSC_INFO[0]  20 bytes" in lines
        assert "    nsec         0.123456789 s" in lines
        assert "    khz          2400000 kHz" in lines

    def test_json_has_the_keys_that_others_build_on(self, domctx: Domctx) -> None:
        document = domctx("show", "--json", domctx.file("x.img")).json
        assert next(iter(document)) == "schema"
        assert document["schema"] == "domctx.image/1"
        assert document["format"] == "domain-context"
        assert document["format_version"] == 1
        assert document["byteorder"] == "little"
        assert document["size"] == 80
        assert document["findings"] == []
        assert "header" not in document
        assert "trailing" not in document
        record = document["records"][1]
        assert record == {
            "index": 1,
            "offset": 24,
            "type": 3,
            "name": "TSC_INFO",
            "instance": 0,
            "length": 20,
            "padding": 4,
            "body": {
                "mode": "DEFAULT",
                "khz": 2400000,
                "nsec": "123456789",
                "incarnation": 1,
                "padded": False,
            },
            "provider": {"dist": "domctx-plugin-tsc-info", "version": "0.1.0"},
        }

    def test_an_unknown_type_is_raw_and_cut_at_4_kib(self, domctx: Domctx) -> None:
        long = bytes.fromhex("40000000 00000000 8813000000000000") + bytes(range(250)) * 20
        path = domctx.file("x.img", IMAGE[:24] + long + IMAGE[-16:])
        run = domctx("show", "--json", path)
        record = run.json["records"][1]
        assert record["body"] is None
        assert record["provider"] is None
        assert record["raw_truncated"] is True
        assert bytes.fromhex(record["raw"]) == (bytes(range(250)) * 20)[:4096]
        assert run.status == 1
        text = domctx("show", path)
        assert "type 0x40 (unknown)[0]  5000 bytes" in text.out
        assert "... 4744 more bytes" in text.out

    def test_what_encoding_would_lose_is_kept_raw(self, domctx: Domctx) -> None:
        odd = bytearray(IMAGE)
        odd[PADDING] = 7
        document = domctx("show", "--json", domctx.file("x.img", bytes(odd))).json
        assert document["records"][1]["padding_raw"] == "07000000"
        assert "raw" not in document["records"][1]
        longer = (
            IMAGE[:32] + (32).to_bytes(8, "little") + IMAGE[40:60] + bytes(11) + b"x" + IMAGE[64:]
        )
        record = domctx("show", "--json", domctx.file("y.img", longer)).json["records"][1]
        assert record["body"]["khz"] == 2400000
        assert bytes.fromhex(record["raw"]).endswith(b"x")

    def test_trailing_bytes(self, domctx: Domctx) -> None:
        run = domctx("show", "--json", domctx.file("x.img", IMAGE + b"ready\n"))
        assert run.json["trailing"] == {"offset": 80, "length": 6, "raw": b"ready\n".hex()}
        assert [f["rule"] for f in run.json["findings"]] == ["trailing-bytes"]
        assert run.status == 0

    def test_jsonl(self, domctx: Domctx) -> None:
        run = domctx("show", "--jsonl", domctx.file("x.img"))
        lines = [json.loads(line) for line in run.out.splitlines()]
        assert lines[0]["format"] == "domain-context"
        assert [line["name"] for line in lines[1:]] == ["START", "TSC_INFO", "END"]
        assert lines[2]["container"] == ["domain-context"]

    def test_a_cut_image_is_shown_as_far_as_it_goes(self, domctx: Domctx) -> None:
        run = domctx("show", domctx.file("x.img", IMAGE[:50]))
        assert run.status == 1
        assert "#1 TSC_INFO[0]" in run.out
        assert "error[truncated-body]" in run.out
        assert "Traceback" not in run.out + run.err


def test_the_size_is_the_inputs_even_after_a_fault(domctx: Domctx) -> None:
    image = IMAGE[:32] + b"\xff" * 8 + IMAGE[40:]
    assert domctx("show", "--json", domctx.file("x.img", image)).json["size"] == len(image)
