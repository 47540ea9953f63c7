"""What a page shows beside its text is left out, counted and told; what belongs to the text stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from augment_correction.documents import read_documents
from augment_correction.documents.html import write_html
from augment_correction.records import NAVIGATION, Document, ReadNote

PROSE = (
    "<p>The bridge of Halmstett was built in 1911 by the guild of masons, and it stands on nine arches of sandstone. "
    "Its keeper rang a bell at dusk until the last war, and nobody has rung it since then.</p>"
)


def page(inside: str) -> str:
    return f"<html><body>{inside}<div id=content><h1>The bridge</h1>{PROSE}{PROSE}</div></body></html>"


def read(inside: str) -> tuple[str, tuple[str, ...]]:
    made = write_html(page(inside).encode(), with_navigation=False)
    return made.written.text, made.left_out


def links(*texts: str, to: str = "/x") -> str:
    return " | ".join(f'<a href="{to}">{text}</a>' for text in texts)


@pytest.mark.parametrize(
    "beside",
    [
        f"<div>{links('Home', 'Town hall', 'Events', 'Contact')}</div>",
        f"<p>{links('Edit', 'History')}</p>",
        f"<ul>{''.join(f'<li>{links(name)}</li>' for name in ('Home', 'News', 'About us'))}</ul>",
        f"<div class=breadcrumb>You are here: {links('Home', 'Museum')} &gt; Opening hours</div>",
        '<div class="share-buttons">Share this page <a href="/t">on a network</a></div>',
        '<div id="cookie-banner"><p>We use cookies to make this site better for you and for our partners. Read how in our policy.</p>'
        "<button>Accept</button></div>",
        f"<ol>{''.join(f'<li>{links(name, to=chr(35) + name)}</li>' for name in ('History', 'Arches', 'Bell'))}</ol>",
        f"<table role=presentation><tr><td>{links('Deutsch', 'English')}</td><td>{links('Login')}</td></tr></table>",
    ],
)
def test_navigation_is_left_out_and_told(beside: str) -> None:
    text, left_out = read(beside)
    assert text == read("")[0] and read("")[1] == ()
    assert len(left_out) == 1
    assert write_html(page(beside).encode()).written.text != text


@pytest.mark.parametrize(
    "inside",
    [
        f"<p>See {links('the bridges of the valley')} and, for the older ones, the map that hangs in the town hall of Ander.</p>",
        f"<p>{links('Ander')}, {links('Brem')} and {links('Corin')} are towns on the river whose bridges the guild of masons built, "
        "and each of them kept a bell. None of these bells is rung any more.</p>",
        f"<table><tr><th>Town</th><th>Bridge</th></tr><tr><td>{links('Ander')}</td><td>{links('1911')}</td></tr></table>",
        f"<article><h2>Towns with a bridge</h2><ul><li>{links('Ander')}</li><li>{links('Brem')}</li></ul></article>",
        f"<main><p>The guild built these bridges:</p><ul><li>{links('Ander')}</li><li>{links('Brem')}</li></ul>{PROSE}</main>",
        "<div class=menu><p>Soup of leeks, with bread that is baked in the house each morning. Trout from the river, "
        "fried in butter, with the potatoes of Ander.</p></div>",
        f"<p>See also {links('the ferry')} and {links('the older bridge')}.</p>",
        f"<div><h4>Towns</h4><ul><li>{links('Ander')} | {links('Brem')}</li></ul>{PROSE}</div>",
        f"<div class=meta></div><ul><li>{links('a text')} | {links('a number')}</li></ul>",
        "<p class=sharing>Bread is shared by all who come.</p>",
    ],
)
def test_what_belongs_to_the_text_stays(inside: str) -> None:
    made = write_html(page(inside).encode(), with_navigation=False)
    assert made.left_out == () and made.written.text == write_html(page(inside).encode()).written.text


HINDI = "यह पुल पत्थर का बना है और नदी के ऊपर नौ मेहराबों पर खड़ा है। "


@pytest.mark.parametrize(
    "inside",
    [
        "<section id=cookies><h2>Cookies</h2><p>The answer holds them.</p><pre>r.cookies['a']</pre></section>",
        "<div id=informed-consent><p>Each patient is told what will be done.</p></div>",
        "<section id=what-is-the-gdpr><h2>What is the GDPR?</h2><p>A law of the Union.</p><button>Print</button></section>",
        "<div class='recipe cookie-recipe'><p>Stir the butter and the sugar.</p><p>Bake for ten minutes.</p></div>",
        "<div class=cookies-by-country><table><tr><th>Town</th><td>9</td></tr></table><button>Sort</button></div>",
    ],
)
def test_a_text_about_cookies_or_consent_is_no_banner(inside: str) -> None:
    assert read(inside)[1] == ()


@pytest.mark.parametrize("around", ["{}", "<main>{}</main>", "<article>{}</article>"])
@pytest.mark.parametrize(
    "inside",
    [
        "<section><h2>Notable alumni</h2><ul><li>{0}</li><li>{1}</li></ul></section>",
        "<h2>Alumni</h2><div class=div-col><ul><li>{0}</li><li>{1}</li></ul></div>",
        "<p>These were the pupils:</p><div><div><ul><li>{0}</li><li>{1}</li></ul></div></div>",
        "<h2>Composers</h2><p>{0}, {1}</p>",
        "<h2>Composers</h2><p>{0}, {1}</p><p>{1}, {0}</p>",
        "<h2>Composers</h2><div><div>{0}, {1}</div></div>",
    ],
)
def test_links_that_a_heading_or_a_colon_announces_are_text(inside: str, around: str) -> None:
    made = inside.format(links("Bach"), links("Brahms"))
    assert (
        write_html(f"<html><body>{around.format(made + PROSE)}</body></html>".encode(), with_navigation=False).left_out
        == ()
    )


@pytest.mark.parametrize("name", ["menu", "social-security", "share-of-votes", "skip-lists"])
@pytest.mark.parametrize(
    "inside",
    [
        f"<p>{HINDI * 5}</p>",
        f"<p>{'สะพานแห่งนี้สร้างด้วยหินทรายและตั้งอยู่เหนือแม่น้ำ' * 4}</p>",
        f"<p>{'هل بني هذا الجسر من حجر الرمل فوق النهر؟ ' * 5}</p>",
        "<table><tr><th>Year</th><th>Sum</th></tr><tr><td>1911</td><td>9</td></tr></table>",
        "<h2>A heading</h2><p>Short.</p>",
        "<pre>a = 1</pre>",
        "<figure><img src=a.png><figcaption>The bridge.</figcaption></figure>",
        "<ul><li>Soup of leeks, with bread 4.50</li><li>Trout in butter, with potatoes 12.00</li><li>Plum cake with cream 3.50</li></ul>",
    ],
)
def test_a_name_alone_makes_no_text_navigation(name: str, inside: str) -> None:
    assert read(f"<div class={name}>{inside}<a href=/s>source</a></div>")[1] == ()


def test_each_element_is_told_for_itself(tmp_path: Path) -> None:
    long = "".join(f"<li>{links(f'Number {number}')}</li>" for number in range(400))
    text = page(f"<ul>{long}</ul><div>{links('Home', 'Town hall')}</div>").replace(PROSE, PROSE * 40)
    (tmp_path / "a.html").write_text(text)
    *_, document = read_documents(tmp_path)
    assert isinstance(document, Document)
    first, second = document.metadata[NAVIGATION]
    assert len(first) < 2100 and first.endswith(" ...") and second == "Home | Town hall"


def test_a_page_of_links_is_kept_whole() -> None:
    data = (
        f"<html><body><h1>Bridges</h1><div>{links(*(f'The bridge of Ander{n}' for n in range(30)))}</div></body></html>"
    )
    made = write_html(data.encode(), with_navigation=False)
    assert "The bridge of Ander29" in made.written.text and made.left_out == ()


def test_it_is_counted_and_told(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(page(f"<div>{links('Home', 'Town hall')}</div>"))
    told, document = read_documents(tmp_path)
    assert isinstance(told, ReadNote) and isinstance(document, Document)
    assert (told.source, told.reason, told.count) == ("a.html", "navigation", 16)
    assert document.metadata[NAVIGATION] == ["Home | Town hall"]


def test_an_outer_element_takes_its_inner_ones_with_it_and_hidden_ones_do_not_count() -> None:
    nested = (
        f"<div><div>{links('Home', 'News')}</div><div>{links('Map', 'Login')}</div><script>let a = 1;</script></div>"
    )
    assert read(nested)[1] == ("Home | News Map | Login",)
