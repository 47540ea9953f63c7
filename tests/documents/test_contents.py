from __future__ import annotations

import pytest

from augment_correction.documents.contents import is_contents

LEADERS = "\n".join(f"{n}.{n} The ferry of place {n} {'.' * 20} {n * 7}" for n in range(1, 12))
SPACED = "\n".join(f"The master's book, part {n} {'. ' * 12}{'xvii' if n < 3 else n * 5}" for n in range(1, 12))
INDEX = "\n".join(
    ["aldwick, 3, 17–19", "barge, 44", "book of fares, 12, 90", "carts, 240", "ditch, 5, 6", "ferry, 1–9", "fares, 8",
     "ice, 30, 31", "jetty, 77", "master, 2, 41", "river, 9", "toll, 8, 12"]
)  # fmt: skip
PLAIN = "Contents\n\n" + "\n".join(f"Chapter {n} of the ferry {n * 9}" for n in range(1, 12))


@pytest.mark.parametrize("text", [LEADERS, SPACED, INDEX, PLAIN, LEADERS.replace("\n", " ")])
def test_lists_of_pages_are_known(text: str) -> None:
    assert is_contents(text)


@pytest.mark.parametrize(
    "text",
    [
        "The ferry of Aldwick carried 240 carts in the year 1702. Its master kept a book of fares in two hands. " * 9,
        "He waited .... 3 hours. " + "And then he went home, in the year 1702. " * 12,
        "\n".join(f"| {year} | {year * 3 % 97} |" for year in range(1900, 1930)),
        "\n".join(f"In {place} the fare was {n}" for n, place in enumerate(["Ulm", "Bonn", "Jena", "Trier", "Kiel", "Hof", "Celle"] * 2)),
        "\n".join(f"print(row, {n})" for n in range(30)),
        "\n".join(f"{n}. Take the cart, pay the toll and wait for {n}" for n in range(1, 12)),
        LEADERS[:150] + "\n\n" + "The ferry carried carts all day long. " * 30,
        "",
    ],
)  # fmt: skip
def test_prose_tables_and_code_are_not(text: str) -> None:
    assert not is_contents(text)
