from __future__ import annotations

import pytest
from lxml import etree

from augment_correction.documents.equations import mathml, omml

SPACE = 'xmlns:m="http://schemas.openxmlformats.org/officeDocument/2006/math"'


def r(text: str) -> str:
    return f"<m:r><m:t>{text}</m:t></m:r>"


def part(name: str, *inside: str) -> str:
    return f"<m:{name}>{''.join(inside)}</m:{name}>"


def setting(name: str, **values: str) -> str:
    return part(f"{name}Pr", *(f'<m:{key} m:val="{value}"/>' for key, value in values.items()))


@pytest.mark.parametrize(
    ("equation", "latex"),
    [
        (r("a+b≤c"), "a+b≤c"),
        (r("50%"), "50\\%"),
        (part("f", part("num", r("1")), part("den", r("2n"))), "\\frac{1}{2n}"),
        (part("f", setting("f", type="lin"), part("num", r("1")), part("den", r("2n"))), "1/{2n}"),
        (part("f", setting("f", type="noBar"), part("num", r("n")), part("den", r("k"))), "{n \\atop k}"),
        (part("sSup", part("e", r("x")), part("sup", r("2"))), "x^{2}"),
        (part("sSub", part("e", r("ab")), part("sub", r("i"))), "{ab}_{i}"),
        (part("sSubSup", part("e", r("x")), part("sub", r("i")), part("sup", r("2"))), "x_{i}^{2}"),
        (part("sPre", part("sub", r("6")), part("sup", r("12")), part("e", r("C"))), "{}_{6}^{12}C"),
        (part("rad", setting("rad", degHide="1"), part("deg"), part("e", r("2"))), "\\sqrt{2}"),
        (part("rad", part("deg", r("3")), part("e", r("x"))), "\\sqrt[3]{x}"),
        (part("nary", setting("nary", chr="∑"), part("sub", r("i=1")), part("sup", r("n")), part("e", r("i"))), "\\sum_{i=1}^{n} i"),
        (part("nary", part("sub", r("0")), part("sup", r("∞")), part("e", r("f"))), "\\int_{0}^{∞} f"),
        (part("d", part("e", r("a")), part("e", r("b"))), "(a|b)"),
        (part("d", setting("d", begChr="[", endChr="{"), part("e", r("a"))), "[a\\{"),
        (part("d", setting("d", begChr="{", endChr=""), part("e", part("eqArr", part("e", r("1")), part("e", r("2"))))), "\\begin{cases}1 \\\\ 2\\end{cases}"),
        (part("m", part("mr", part("e", r("a")), part("e", r("b"))), part("mr", part("e", r("c")), part("e", r("d")))), "\\begin{matrix}a & b \\\\ c & d\\end{matrix}"),
        (part("m", part("mr", part("e", part("m", part("mr", part("e", r("a"))))), part("e", r("b")))), "\\begin{matrix}\\begin{matrix}a\\end{matrix} & b\\end{matrix}"),
        (part("func", part("fName", r("sin")), part("e", r("x"))), "\\sin{x}"),
        (part("func", part("fName", part("limLow", part("e", r("lim")), part("lim", r("n→∞")))), part("e", r("x"))), "\\lim_{n→∞}{x}"),
        (part("acc", setting("acc", chr="\u20d7"), part("e", r("v"))), "\\vec{v}"),
        (part("bar", setting("bar", pos="top"), part("e", r("x"))), "\\overline{x}"),
        (part("groupChr", part("e", r("x"))), "\\underbrace{x}"),
        (part("borderBox", part("e", r("x"))), "\\boxed{x}"),
        (part("phant", setting("phant", show="0"), part("e", r("x"))) + r("y"), "y"),
        ("<m:r><m:rPr><m:nor/></m:rPr><m:t>if even</m:t></m:r>", "\\text{if even}"),
        ("<m:unknown>" + r("kept") + "</m:unknown><!-- note -->", "kept"),
    ],
)  # fmt: skip
def test_equations_of_office(equation: str, latex: str) -> None:
    assert omml(etree.fromstring(f"<m:oMath {SPACE}>{equation}</m:oMath>")) == latex


@pytest.mark.parametrize(
    ("equation", "latex"),
    [
        ("<mi>x</mi><mo>=</mo><mn>2</mn>", "x=2"),
        ("<mfrac><mi>a</mi><mrow><mi>b</mi><mo>+</mo><mi>c</mi></mrow></mfrac>", "\\frac{a}{b+c}"),
        ("<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>", "x_{i}^{2}"),
        ("<munderover><mo>∑</mo><mi>i</mi><mi>n</mi></munderover>", "\\sum_{i}^{n}"),
        ("<mover><mi>x</mi><mo>¯</mo></mover><mroot><mi>x</mi><mn>3</mn></mroot>", "\\bar{x}\\sqrt[3]{x}"),
        ("<mtable><mtr><mtd><mn>1</mn></mtd><mtd><mn>2</mn></mtd></mtr></mtable>", "\\begin{matrix}1 & 2\\end{matrix}"),
        ("<msqrt><mn>2</mn></msqrt><mphantom><mi>x</mi></mphantom><mi>sin</mi>", "\\sqrt{2}\\sin"),
        ("<semantics><mi>x</mi><annotation encoding='application/x-tex'>\\xi </annotation></semantics>", "\\xi"),
    ],
)
def test_equations_of_the_web(equation: str, latex: str) -> None:
    assert mathml(etree.fromstring(f"<math>{equation}</math>")) == latex
    assert mathml(etree.fromstring(f'<math xmlns="http://www.w3.org/1998/Math/MathML">{equation}</math>')) == latex
