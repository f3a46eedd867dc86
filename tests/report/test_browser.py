"""Reports and the site in a real browser: Chromium of the distribution's packages, where there is one.

Never in CI: what a browser does to a machine is not for every submission to find out.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docs_pages import build_site
from report_pages import HOSTILE, PV1, channel_image, crowded_page, make_report, nasty_image

from domctx_core import Report, render_report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")

pytestmark = [
    pytest.mark.skipif("CI" in os.environ, reason="a browser is not started in CI"),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (package chromium)"),
    pytest.mark.skipif(DRIVER is None, reason="its driver is not installed (chromium-driver)"),
    # what the driver's own client leaves to the garbage collector is not ours
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    driver.execute_cdp_cmd("Network.enable", {})
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """Opens the page of a report; afterwards its console must be empty."""

    def show(
        report: Report | str, *, width: int = 1280, fragment: str = "", script: bool = True
    ) -> Any:
        path = tmp_path / "page.html"
        page = report if isinstance(report, str) else "".join(render_report(report))
        path.write_text(page, encoding="utf-8")
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
        browser.get("about:blank")
        browser.get(path.as_uri() + fragment)
        return browser

    yield show
    assert browser.get_log("browser") == []
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def find(browser: Any, selector: str) -> list[Any]:
    found: list[Any] = browser.find_elements("css selector", selector)
    return found


def wait(browser: Any, selector: str) -> Any:
    """The first of what is found, which may take the browser a moment."""
    from selenium.webdriver.support.wait import WebDriverWait

    return WebDriverWait(browser, 10).until(lambda browser: find(browser, selector))[0]


def click(browser: Any, element: Any) -> None:
    """Click where the line of links at the top of the page cannot be in the way."""
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def marked(browser: Any) -> list[str]:
    return [element.text for element in find(browser, ".hex a.on")]


def test_the_map_has_every_record_and_nothing_is_wider_than_the_screen(opened: Any) -> None:
    for width in (1280, 400):
        browser = opened(make_report(PV1.read_bytes()), width=width)
        counts = [int(a.get_attribute("data-count")) for a in find(browser, ".bands a")]
        assert sum(counts) == 16
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        heights = browser.execute_script(
            "return [...document.querySelectorAll('.bands .face')]"
            ".map((face) => face.getBoundingClientRect())"
            ".map((box) => [box.height, box.right])"
        )
        assert min(height for height, _ in heights) >= 20
        assert max(right for _, right in heights) <= width
        strip, bands = browser.execute_script(
            "return [...document.querySelectorAll('.bands > *')].map((one) => one.clientHeight)"
        )
        assert bands == pytest.approx(strip, abs=3)


def test_selecting_a_field_marks_its_bytes_and_the_reverse(opened: Any) -> None:
    data = PV1.read_bytes()
    report = make_report(data)
    browser = opened(report)
    card = next(c for c in find(browser, ".card") if c.text.startswith("X86_TSC_INFO"))
    rows = {row.find_element("css selector", "th").text: row for row in card.find_elements(
        "css selector", "tr[id]")}  # fmt: skip
    at = 0xAC9 + 8  # where the body starts
    for field, place, size in (("khz", 4, 4), ("nsec", 8, 8)):
        click(browser, rows[field].find_element("css selector", "a"))
        start = at + place
        assert marked(browser) == [data[start : start + size].hex(" ")], field
        assert [row.get_attribute("id") for row in find(browser, "tr.on")] == [
            rows[field].get_attribute("id")
        ]
    click(browser, card.find_elements("css selector", ".hex a")[0])
    assert [row.get_attribute("id") for row in find(browser, "tr.on")] == [
        rows["mode"].get_attribute("id")
    ]


def test_with_the_keyboard_alone(opened: Any) -> None:
    from selenium.webdriver.common.keys import Keys

    browser = opened(make_report(PV1.read_bytes()))
    link = find(browser, ".card .fields a")[0]
    # of several browsers one is in front; focus is an event only there
    browser.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
    browser.execute_script("arguments[0].focus()", link)
    assert len(marked(browser)) == 1
    browser.switch_to.active_element.send_keys(Keys.ENTER)
    chosen = marked(browser)
    browser.switch_to.active_element.send_keys(Keys.TAB)
    assert browser.switch_to.active_element.tag_name == "a"
    assert set(chosen) <= set(marked(browser))
    outline = browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none"


def test_without_a_script_a_link_to_a_field_marks_it(opened: Any) -> None:
    report = make_report(PV1.read_bytes())
    browser = opened(report, fragment="#c2h0b1", script=False)
    target = wait(browser, ":target")
    assert target.text == "58 45 4e 46"
    assert target.value_of_css_property("background-color") == "rgba(255, 224, 138, 1)"
    assert find(browser, ".filter[hidden]")
    assert all(card.get_attribute("open") for card in find(browser, ".card")[:3])


def test_a_link_opens_what_it_leads_to(opened: Any) -> None:
    report = make_report(channel_image(40), judged=False)
    browser = opened(report)
    last = find(browser, ".card:not([open])")[-1].get_attribute("id")
    browser.get(f"{browser.current_url.partition('#')[0]}#{last}f0")
    assert wait(browser, f"#{last}[open]")
    assert len(marked(browser)) == 1


def test_the_words_of_a_graph_fit_and_can_be_read(opened: Any) -> None:
    for width in (1280, 400):
        browser = opened(make_report(channel_image(40), judged=False), width=width)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
        links = browser.execute_script(
            "return [...document.querySelectorAll('.graph .chip')].map((chip) =>"
            " [...chip.children].slice(1).map((one) => one.getBoundingClientRect()))"
        )
        assert len(links) == 40
        for pill, *words in links:
            for word in words:
                assert word["width"] == 0 or word["height"] >= 12
                assert word["left"] >= pill["left"] + 8
                assert word["right"] <= pill["right"] - 8


@pytest.mark.parametrize("script", [False, True])
def test_paper_has_what_is_collapsed_and_no_graph_longer_than_a_page(
    opened: Any, script: bool
) -> None:
    browser = opened(make_report(channel_image(40), judged=False), script=script)
    closed = find(browser, "details:not([open])")
    assert len(closed) > 5
    cells = "return [...document.querySelectorAll('details:not([open]) td')].map((td) => td.checkVisibility())"
    assert not any(browser.execute_script(cells))
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert all(browser.execute_script(cells))
        height = find(browser, ".graph svg")[0].size["height"]
        assert 400 < height < 96 / 2.54 * 23
    finally:
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    browser.execute_cdp_cmd("Page.printToPDF", {})
    assert len(find(browser, "details:not([open])")) == len(closed)


def test_a_browser_that_prints_no_closed_details_has_them_opened(opened: Any) -> None:
    browser = opened(make_report(channel_image(40), judged=False))
    closed = len(find(browser, "details:not([open])"))
    assert closed > 5
    for _ in range(2):
        browser.execute_script("dispatchEvent(new Event('beforeprint'))")
        assert not find(browser, "details:not([open])")
    browser.execute_script("dispatchEvent(new Event('afterprint'))")
    assert len(find(browser, "details:not([open])")) == closed


def test_the_filter_leaves_what_was_asked_for(opened: Any) -> None:
    browser = opened(make_report(PV1.read_bytes()))
    find(browser, ".filter input")[0].send_keys("tsc")
    shown = [card for card in find(browser, ".card") if card.is_displayed()]
    assert len(shown) == 1
    assert find(browser, ".filter output")[0].text == "1 records"


def test_what_is_hostile_stays_text(opened: Any) -> None:
    browser = opened(make_report(nasty_image(), HOSTILE))
    assert not find(browser, "img")
    assert len(find(browser, "script")) == 1
    assert find(browser, "h1")[0].text.startswith("\"'><img src=x onerror=alert(1)>")
    assert browser.title.startswith("\"'><img")
    assert "<img/src=x>" in find(browser, ".bands")[0].get_attribute("textContent")


def test_131072_records_open_and_scroll(opened: Any) -> None:
    browser = opened(crowded_page())
    assert sum(int(a.get_attribute("data-count")) for a in find(browser, ".bands a")) == 131_072
    took = browser.execute_script(
        "const start = performance.now();"
        "for (let y = 0; y < document.documentElement.scrollHeight; y += 2000)"
        " { scrollTo(0, y); document.body.getBoundingClientRect(); }"
        "return performance.now() - start"
    )
    assert took < 10_000
    assert "only counted" in find(browser, "#records .lead")[0].text


_TOO_WIDE = """
return [...document.querySelectorAll(".table-wrapper")]
    .filter((table) => table.scrollWidth > table.clientWidth)
    .map((table) => table.innerText.slice(0, 80))
"""


def test_no_table_of_the_site_is_wider_than_its_page(browser: Any, tmp_path: Path) -> None:
    site = build_site(tmp_path)
    browser.set_window_size(1280, 900)
    wrong = {}
    for page in site.rglob("*.html"):
        browser.get(page.as_uri())
        wrong[page.relative_to(site).as_posix()] = browser.execute_script(_TOO_WIDE)
    assert "reference/seed.html" in wrong
    assert {page: tables for page, tables in wrong.items() if tables} == {}
