"""Pages of another program, taken apart and put together again."""

from __future__ import annotations

import re

import pytest

from include.glue.markup import clean_page, page, table


@pytest.mark.parametrize(
    "hostile",
    [
        "<script>alert(1)</script>",
        "<ScRiPt src=//x.example/a.js></sCrIpT>",
        "<scr<script>ipt>alert(1)</script>",
        '<img src="http://192.0.2.1/x" onerror=alert(1)>',
        "<svg onload=alert(1)><circle/></svg>",
        "<iframe srcdoc='<script>1</script>'></iframe>",
        '<link rel=stylesheet href="https://x.example/a.css">',
        '<meta http-equiv="refresh" content="0;url=https://x.example">',
        '<base href="https://x.example/">',
        '<form action="https://x.example"><input name=a></form>',
        "<style>@import 'https://x.example/a.css'</style>",
        "<object data='https://x.example'></object><embed src='https://x.example'>",
        "<details ontoggle=alert(1) open>",
        "<!--><script>alert(1)</script>-->",
        "<![CDATA[<script>alert(1)</script>]]>",
        "<textarea><script>alert(1)</script></textarea>",
    ],
)
def test_nothing_is_loaded_and_nothing_runs(hostile: str) -> None:
    text = clean_page(f"<html><head><title>T</title></head><body><p>before</p>{hostile}<p>after</p></body></html>")
    body = text.split("<body>", 1)[1]
    assert {tag.lower() for tag in re.findall(r"<\s*([a-zA-Z]+)", body)} <= {"p", "html", "body", "main"}
    assert "<p>before</p>" in body and "<p>after</p>" in body
    assert "<title>T</title>" in text


@pytest.mark.parametrize(
    "target",
    ["https://x.example", "//x.example", "javascript:alert(1)", "JaVa\tScRiPt:alert(1)", "data:text/html,x", "/etc"],
)
def test_a_link_leads_nowhere_outside_of_the_site(target: str) -> None:
    assert "href" not in clean_page(f'<body><a href="{target}" onclick="alert(1)">x</a></body>').split("<body>")[1]


def test_text_tables_and_links_within_the_site_are_kept() -> None:
    text = clean_page(
        '<body><table class="t" style="position:fixed"><tr><td>1 &lt; 2</td></tr></table><a href="a/b.html#c">x</a>'
    )
    assert '<table class="t"><tr><td>1 &lt; 2</td></tr></table><a href="a/b.html#c">x</a>' in text


def test_titles_and_cells_are_text() -> None:
    text = page("<b>", table("<s>", ["<i>"], [["<u>", 1234]]))
    assert "<title>&lt;b&gt;</title>" in text and '<th scope="col">&lt;i&gt;</th>' in text
    assert '<td>&lt;u&gt;</td><td class="number">1,234</td>' in text and 'table aria-label="&lt;s&gt;"' in text
