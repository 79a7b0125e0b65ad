"""The report's page as a person uses it: it is clicked, typed into, filtered and printed in Chromium."""

from __future__ import annotations

import csv
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = os.environ["SMOOTHTOPK_PROGRAM"]
MODEL, DATA = ROOT / "demo/digits_mlp_sigma0.25.onnx", ROOT / "demo/digits_test200.npz"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
MANY = 50_000


def run(*words: object) -> None:
    environment = os.environ | {"SMOOTHTOPK_CACHE": "off"}
    subprocess.run([PROGRAM, *map(str, words)], check=True, capture_output=True, timeout=300, env=environment)


def certify(out: Path, data: Path, n: int) -> Path:
    settings = ["--input-scale", 16, "--sigma", 0.25, "--k", "1,3", "--n", n, "--seed", 7, "--quiet"]
    run("certify", "--model", MODEL, "--data", data, *settings, "--out", out)
    return out


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of 200 digits."""
    folder = tmp_path_factory.mktemp("report")
    runs = [certify(folder / f"n{n}", DATA, n) for n in (100, 2000)]
    run("report", *runs, "--data", DATA, "--out", folder / "report")
    return folder / "report"


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run of very many examples."""
    folder = tmp_path_factory.mktemp("large")
    digits = np.load(DATA)
    np.savez(folder / "many.npz", **{name: np.concatenate([digits[name]] * (MANY // 200)) for name in digits})
    run("report", certify(folder / "many", folder / "many.npz", 30), "--out", folder / "report")
    return folder / "report"


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    assert CHROMIUM, "no Chromium (Debian's chromium)"
    with sync_playwright() as playwright:
        # As root, as in CI, Chromium has no sandbox.
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that may neither complain nor ask a network for anything."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened, wrong = context.new_page(), []
    opened.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda each: None if each.url.startswith(("file:", "data:")) else wrong.append(each.url))
    yield opened
    assert wrong == []
    context.close()


def opened(page: Page, report: Path, address: str = "") -> Page:
    page.goto(f"{(report / 'report.html').as_uri()}{address}")
    page.wait_for_selector("html[data-ready=yes]")
    return page


def rows(report: Path, run: str, k: int) -> list[dict[str, str]]:
    """What examples.csv says."""
    with open(report / "examples.csv", newline="") as file:
        return [row for row in csv.DictReader(file) if (row["run"], row["k"]) == (run, str(k))]


def listed(page: Page) -> Locator:
    """The rows of the list that are in sight."""
    return page.get_by_role("listbox").get_by_role("option")


def test_filters_and_orders_are_those_of_the_examples(page: Page, report: Path) -> None:
    opened(page, report)
    expected = rows(report, "n100", 1)
    right = sum(row["correct"] == "1" for row in expected)
    abstained = sum(row["predict"] == "" for row in expected)
    for word, number in [("Right", right), ("Abstained", abstained), ("All", 200)]:
        page.get_by_role("button", name=re.compile(rf"^{word} ")).click()
        expect(page.locator("#found")).to_contain_text(str(number))
    assert 0 < abstained < right < 200
    page.get_by_role("searchbox").fill("17")
    expect(page.locator("#found")).to_contain_text("1 of 200 examples")
    page.get_by_role("searchbox").fill("")
    page.locator("#filters select").first.select_option(label="n2000")
    page.get_by_role("group", name="Top").last.get_by_role("button", name="3").click()
    page.locator("#filters select").last.select_option(label="Smallest radius first")
    smallest = min(rows(report, "n2000", 3), key=lambda row: float(row["radius"]))
    page.get_by_role("listbox").focus()
    page.keyboard.press("Home")
    expect(page.locator("#row-0")).to_contain_text(f"#{smallest['idx']}")


def test_keys_choose_examples(page: Page, report: Path) -> None:
    opened(page, report)
    page.get_by_role("listbox").focus()
    title = page.locator("#detail h3")
    found = []
    for key in ("Home", "ArrowDown", "ArrowDown", "ArrowUp", "End", "PageUp"):
        page.keyboard.press(key)
        found.append(int(re.search(r"Example (\d+)", title.inner_text())[1]))
    assert found[:5] == [0, 1, 2, 1, 199] and found[5] < 199
    chosen = page.locator('[role=option][aria-selected="true"]')
    expect(chosen).to_have_count(1)
    assert page.get_by_role("listbox").get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    # It has an address.
    assert page.evaluate("location.hash") == f"#example/0/{found[5]}"


def test_an_address_opens_its_example(page: Page, report: Path) -> None:
    opened(page, report, "#example/1/42")
    expect(page.locator("#detail h3")).to_contain_text("Example 42 of n2000")
    expect(page.locator("#detail")).to_contain_text("line 43 of")
    assert page.locator("#detail svg, #detail canvas, #detail img, #detail [style*=background]").count() > 0, (
        "a picture"
    )


def test_radii_are_read_off_the_curves(page: Page, report: Path) -> None:
    opened(page, report)
    lines = list(csv.DictReader((report / "report.csv").read_text().splitlines()))
    for radius in ("0.25", "0.5"):
        page.locator("#radius").fill(radius)
        page.locator("#radius").press("Tab")
        shown = page.locator("#read").inner_text()
        for line in lines:
            if float(line["radius"]) == float(radius):
                share = f"{100 * float(line['certified_accuracy']):.1f}"
                assert share in shown, (radius, line["run"], line["k"], share, shown)
    page.locator("#radius-slider").focus()
    before = page.locator("#radius").input_value()
    page.keyboard.press("ArrowRight")
    assert float(page.locator("#radius").input_value()) > float(before)


def test_curves_are_switched_off_and_on(page: Page, report: Path) -> None:
    opened(page, report)
    curves = page.locator("#plot path")
    all_of_them = curves.count()
    switch = page.locator("#switches").get_by_role("button", name="n100", exact=True)
    switch.click()
    assert switch.get_attribute("aria-pressed") == "false" and curves.count() < all_of_them
    expect(page.locator("#read")).not_to_contain_text("n100")
    switch.press("Enter")
    assert switch.get_attribute("aria-pressed") == "true" and curves.count() == all_of_them


def test_run_against_run(page: Page, report: Path) -> None:
    opened(page, report)
    few, many = rows(report, "n100", 1), rows(report, "n2000", 1)
    expect(page.locator("#compare")).to_be_visible()
    won = sum(a["correct"] != "1" and b["correct"] == "1" for a, b in zip(few, many))
    assert won > 0
    expect(page.locator("#outcome")).to_contain_text(str(won))


def test_dark_narrow_and_printed(page: Page, report: Path) -> None:
    opened(page, report)
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate(colour) != light
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390, "it scrolls sideways"
    page.emulate_media(media="print")
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator("#accuracies")).to_be_visible()


def test_fifty_thousand_examples(page: Page, large: Path) -> None:
    opened(page, large)
    expect(page.locator("#lead")).to_contain_text("50,000 examples")
    page.get_by_role("listbox").focus()
    page.keyboard.press("End")
    expect(page.locator("#detail h3")).to_contain_text("Example 49999")
    # Only those in sight are made.
    assert 5 < listed(page).count() < 100
    page.get_by_role("searchbox").fill("31415")
    listed(page).first.click()
    expect(page.locator("#detail h3")).to_contain_text("31415")
