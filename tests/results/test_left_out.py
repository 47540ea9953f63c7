"""What a web page shows beside its text can be seen after a run."""

from __future__ import annotations

from tests.projects import MadeProject, adds_up
from tests.servers import ModelServer, facts


def test_navigation_stands_in_rejected_jsonl_and_is_summed_up(project: MadeProject, server: ModelServer) -> None:
    for number, fact in enumerate(facts(range(2))):
        menu = '<div><a href="/">Home</a> | <a href="/n">News</a></div>'
        shares = '<div><a href="/a">Mail</a> | <a href="/b">Print</a></div>'
        body = f"{menu}<h1>Bridge</h1><p>{fact}</p>{shares}"
        project.write(f"inputs/{number}.html", f"<html><body>{body}</body></html>")
    result = project.run(server)
    assert result.kept == 2 and adds_up(result)
    rows = [row for row in project.rejected() if row["reason"] == "navigation"]
    told = [(row["source"], row["detail"]) for row in rows]
    assert told == [(f"{page}.html", beside) for page in range(2) for beside in ("Home | News", "Mail | Print")]
    assert sum("rows of links" in notice for notice in result.notices) == 2
    assert result.counts["unread"] == 0
