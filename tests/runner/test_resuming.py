"""Killed at any instant, changed in any way: the same command asks for what is missing and for nothing else."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from augment_correction.errors import ExitCode, InputError
from augment_correction.project import bundled
from tests.projects import MadeProject, adds_up, ended, prices
from tests.servers import ModelServer, facts, fails

CONTENTS = "Table of Contents. The bridge, page 1. The mill, page 12. The market, page 31. The index, page 99."
META = {"do_meta_datagen": True}


class TestKilled:
    def test_at_any_moment_it_goes_on_and_ends_in_the_same_bytes(
        self, project: MadeProject, server: ModelServer, tmp_path: Path
    ) -> None:
        project.facts(range(24))
        project.write("inputs/contents.txt", CONTENTS)
        project.config(server, meta_datagen=META, system={"concurrency_limit": 3})

        assert project.again().exit_code == ExitCode.DONE
        uninterrupted = project.files()
        whole = server.questions()
        assert len(whole) == server.count() == 49
        assert {"run.json", "meta_datagen/meta_dataset.jsonl", "axolotl_lora.yaml"} <= set(uninterrupted)
        shutil.rmtree(project.output)  # the same path again, since some files name it
        server.forget()

        server.delay = 0.1
        in_flight = 0
        for moment in (1, 16, 40):
            process = project.start()
            server.wait_for(moment, process)
            process.send_signal(signal.SIGKILL)
            process.communicate()
            in_flight += 6  # at most, of both models together
        server.delay = 0
        assert project.again().exit_code == ExitCode.DONE

        assert set(server.questions()) == set(whole)
        assert server.count() <= 49 + in_flight
        assert project.files() == uninterrupted

    def test_while_the_files_are_written_leaves_the_old_ones_or_the_new_ones(
        self, project: MadeProject, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        project.facts(range(3))
        project.run()
        before = (project.output / "axolotl_correction_conversations.json").read_bytes()
        project.facts(range(6))

        def die(*_: object) -> None:
            raise RuntimeError("a bug, or the end of the world")

        monkeypatch.setattr("augment_correction.store.folder.os.fsync", die)
        with pytest.raises(RuntimeError):
            project.run()
        monkeypatch.undo()
        assert (project.output / "axolotl_correction_conversations.json").read_bytes() == before
        assert project.run().kept == 6
        assert not list(project.output.rglob("*.part"))


class TestInterrupted:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_once_it_takes_home_what_is_in_flight_and_says_how_to_go_on(
        self, project: MadeProject, server: ModelServer, number: int
    ) -> None:
        project.facts(range(30))
        project.config(server, system={"concurrency_limit": 3})
        server.delay = 0.15
        process = project.start()
        server.wait_for(8, process)
        process.send_signal(number)
        made = ended(process)
        assert made.code == ExitCode.INTERRUPTED
        assert "waiting for the calls in flight" in made.err
        assert "run the same command again" in made.out
        assert "axolotl train" not in made.out, "a part of the rows is nothing to train on"
        assert "Traceback" not in made.err
        assert not server.unanswered()
        asked = server.questions()
        assert project.tokens("small")["requests"] + project.tokens("large")["requests"] == server.count()

        server.forget()
        server.delay = 0
        assert project.again().exit_code == ExitCode.DONE
        assert not server.questions() & asked
        assert len(project.dataset()) == 30

    def test_twice_it_stops_at_once(self, project: MadeProject, server: ModelServer) -> None:
        project.facts(range(6))
        project.config(server)
        server.delay = 30
        process = project.start()
        server.wait_for(1, process)
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        while "Ctrl-C again" not in process.stderr.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGINT)
        made = ended(process, 15)
        assert made.code == ExitCode.INTERRUPTED
        assert "Traceback" not in made.err
        assert "run the same command again" in made.err

    def test_it_does_not_sit_out_a_long_retry_after(self, project: MadeProject, server: ModelServer) -> None:
        project.facts(range(6))
        project.config(server)
        server.usual = fails(429, "slow down", Retry_After="120")
        process = project.start()
        server.wait_for(3, process)
        time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        assert ended(process, 30).code == ExitCode.INTERRUPTED

    def test_a_stopped_second_run_does_not_shorten_the_dataset_of_the_first(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(200, 240), "z.jsonl")
        assert project.run(server).kept == 40
        project.facts(range(140), "a.jsonl")  # read first, in batches of 64: the stop comes before z.jsonl is read
        server.where("Ander9 ", fails(401))
        stopped = project.run(server, system={"concurrency_limit": 1})
        assert stopped.exit_code == ExitCode.USER
        assert adds_up(stopped)
        assert 40 < len(project.dataset()) == stopped.kept < 55


class TestChanged:
    """What a change touches is asked again, exactly; counted at the server."""

    @pytest.fixture
    def made(self, project: MadeProject, server: ModelServer) -> MadeProject:
        for number, text in enumerate(facts(range(5))):
            project.write(f"inputs/{number}.txt", text)
        assert project.run(server).kept == 5
        server.forget()
        return project

    def test_nothing(self, made: MadeProject, server: ModelServer) -> None:
        before = made.files()
        result = made.run(server)
        assert (result.kept, server.count()) == (5, 0)
        assert made.files() == before

    def test_what_does_not_decide_replies(self, made: MadeProject, server: ModelServer) -> None:
        api = {"large_timeout": 5, "large_concurrency": 1, "large_base_url": server.url + "/"}
        result = made.run(server, api=api, system={"loss_on": "correction_only"}, cost=prices(1, 1, 1, 1))
        assert (result.kept, server.count()) == (5, 0)
        labels = [[segment["label"] for segment in row["segments"]] for row in made.dataset()]
        assert labels == [[False, True]] * 5

    def test_one_document(self, made: MadeProject, server: ModelServer) -> None:
        (text,) = facts([77])
        made.write("inputs/2.txt", text)
        assert made.run(server).kept == 5
        assert server.passages("small") == server.passages("large") == {text: 1}
        assert "Ander77" in json.dumps(made.dataset()[2])
        assert "Ander2 " not in json.dumps(made.dataset())

    def test_a_new_document_that_sorts_first(self, made: MadeProject, server: ModelServer) -> None:
        (text,) = facts([88])
        made.write("inputs/0-first.txt", text)
        assert made.run(server).kept == 6
        assert server.passages("large") == {text: 1}
        assert "Ander88" in json.dumps(made.dataset()[0])

    def test_a_document_taken_away_and_put_back(self, made: MadeProject, server: ModelServer) -> None:
        path = made.root / "inputs" / "3.txt"
        text = path.read_text()
        path.unlink()
        assert made.run(server).kept == 4
        assert not list((made.output / "debug_outputs").glob("3.txt*"))
        path.write_text(text)
        assert made.run(server).kept == 5
        assert server.count() == 0

    def test_the_prompt_of_the_second_stage(self, made: MadeProject, server: ModelServer) -> None:
        prompt = (bundled() / "prompts" / "masked_conversation_generation.jinja").read_text()
        made.write("prompts/masked_conversation_generation.jinja", prompt.replace("Write four", "Now write four"))
        assert made.run(server).kept == 5
        assert (server.count("small"), server.count("large")) == (0, 5)

    def test_the_sampling_of_one_stage(self, made: MadeProject, server: ModelServer) -> None:
        assert made.run(server, sampling={"judgement": {"temperature": 0.1}}).kept == 5
        assert (server.count("small"), server.count("large")) == (5, 0)

    def test_the_large_model(self, made: MadeProject, server: ModelServer) -> None:
        assert made.run(server, api={"large_model": "larger"}).kept == 5
        assert (server.count("small"), server.count("larger")) == (0, 5)

    def test_the_chunk_size(self, made: MadeProject, server: ModelServer) -> None:
        texts = facts(range(10, 13))
        made.write("inputs/long.txt", "\n\n".join(texts))
        made.run(server)
        assert server.passages("large") == {"\n\n".join(texts): 1}
        server.forget()
        result = made.run(server, system={"chunk_size": 70})
        # The long document is three passages now; the short ones are what they were.
        assert server.passages("large") == dict.fromkeys(texts, 1)
        assert result.kept == 8


class TestOneFolder:
    def test_a_second_run_on_it_is_refused_while_the_first_one_runs(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(4))
        project.config(server)
        server.delay = 60
        process = project.start()
        server.wait_for(1, process)
        with pytest.raises(InputError, match="another run is writing to") as refusal:
            project.again()
        assert refusal.value.hint == "wait until it has finished, or set another path.output_dir"
        process.kill()
        process.communicate()
        server.delay = 0
        assert project.again().kept == 4  # the lock went with the process, however it ended

    def test_one_that_cannot_be_made_is_the_users_mistake(self, project: MadeProject) -> None:
        project.facts([1])
        project.write("blocked", "a file")
        with pytest.raises(InputError, match="cannot be written"):
            project.run(path={"output_dir": "./blocked/out"})


COST = prices(0, 0, 1000, 1000)


class TestBudget:
    def test_the_run_stops_below_the_cap_with_valid_files_and_goes_on_when_it_is_raised(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(40))
        # A large call takes about 1,200 tokens, so 1.2 USD; before there is experience 4096 tokens of reply are feared.
        stopped = project.run(server, cost={**COST, "max_usd": 16}, system={"concurrency_limit": 8})
        assert stopped.exit_code == ExitCode.BUDGET
        assert stopped.hint is not None and "raise cost.max_usd" in stopped.hint
        assert adds_up(stopped) and stopped.counts["pending"] > 0
        assert stopped.cost is not None and 13 < stopped.cost <= 16
        assert len(project.dataset()) == stopped.kept == server.count("large")
        assert project.tokens("large")["total_cost"] == float(stopped.cost)

        result = project.run(server, cost={**COST, "max_usd": 100}, system={"concurrency_limit": 8})
        assert (result.exit_code, result.kept) == (ExitCode.DONE, 40)
        assert set(server.questions().values()) == {1}

    def test_many_calls_at_once_do_not_stop_a_run_that_can_pay_for_them_one_after_another(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(12))
        server.delay = 0.02
        result = project.run(server, cost={**COST, "max_usd": 20}, system={"concurrency_limit": 12})
        assert (result.exit_code, result.kept) == (ExitCode.DONE, 12)


class TestNothingKept:
    def test_an_old_dataset_is_moved_aside_and_never_overwritten_by_an_empty_one(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(3))
        project.run(server)
        before = (project.output / "axolotl_correction_conversations.json").read_bytes()
        project.facts(range(10, 13))
        server.usual = fails(400, "no")
        result = project.run(server)
        assert result.exit_code is ExitCode.REJECTS and result.stopped
        assert result.stopped.startswith("nothing was kept; 3 of 3 failed, the last with ")
        assert result.stopped.endswith("HTTP 400: test no")
        assert (project.output / "earlier" / "1" / "axolotl_correction_conversations.json").read_bytes() == before
        assert result.dataset is None and not (project.output / "axolotl_correction_conversations.json").exists()

    def test_all_rejected_is_exit_3_with_the_reasons(self, project: MadeProject, server: ModelServer) -> None:
        for number in range(3):
            project.write(f"inputs/{number}.txt", f"{CONTENTS} Number {number}.")
        result = project.run(server)
        assert result.exit_code == ExitCode.REJECTS
        assert result.counts["reasons"] == {"judgement/unsuitable": 3}
        assert len(project.rejected()) == 3

    def test_no_document_at_all_is_the_users_mistake(self, project: MadeProject, server: ModelServer) -> None:
        result = project.run(server)
        assert result.exit_code == ExitCode.USER
        assert result.stopped is not None and "no passage was found" in result.stopped
        assert server.count() == 0

    def test_more_rejects_than_allowed_is_exit_3_although_some_were_kept(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(3))
        project.write("inputs/contents.txt", CONTENTS)
        result = project.run(server, limits={"max_rejected": 0.2})
        assert (result.exit_code, result.kept) == (ExitCode.REJECTS, 3)
        assert result.stopped is not None and "25% of the passages" in result.stopped
        assert project.run(server, limits={"max_rejected": 0.25}).exit_code == ExitCode.DONE


class TestDuplicates:
    def test_two_hundred_identical_passages_are_made_once_with_all_their_sources(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        (text,) = facts([5])
        for number in range(200):
            project.write(f"inputs/{number:03}.txt", text)
        result = project.run(server)
        assert (result.kept, result.counts["documents"], result.counts["chunks"]) == (1, 200, 1)
        assert server.count() == 2
        (story,) = (project.output / "debug_outputs").glob("000.txt/*.md")
        assert all(f"- {number:03}.txt, characters 0" in story.read_text() for number in range(200))

    def test_in_a_subset_they_keep_all_their_sources_too(self, project: MadeProject, server: ModelServer) -> None:
        for number in range(6):
            project.write(f"inputs/{number}.txt", facts([number % 2])[0])
        result = project.run(server, system={"use_subset": True, "subset_size": 2})
        assert (result.kept, server.count("large")) == (2, 2)
        stories = [path.read_text() for path in (project.output / "debug_outputs").glob("?.txt/*.md")]
        assert sorted(story.count(", characters 0") for story in stories) == [3, 3]


class TestDiskFull:
    """A limit on the size of a file stands for a full disk: the write fails in the same place."""

    def test_the_journal_cannot_grow_so_the_run_stops_and_goes_on_when_there_is_room(
        self, project: MadeProject, server: ModelServer
    ) -> None:
        project.facts(range(40))
        project.config(server, system={"concurrency_limit": 2})
        made = ended(
            project.start(before="import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))")
        )
        assert made.code == ExitCode.USER
        assert "journal.sqlite cannot be written" in made.err
        assert "free some space on the disk" in made.err
        assert "Traceback" not in made.err
        asked = server.questions()
        assert 0 < len(asked) < 80
        server.forget()
        assert project.again().exit_code == ExitCode.DONE
        assert len(server.questions() & asked) <= 4 < len(asked)  # at most what was in flight when the disk was full
        assert len(project.dataset()) == 40

    def test_an_output_file_cannot_be_written(self, project: MadeProject, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_: int) -> None:
            raise OSError(28, "No space left on device")

        project.facts(range(2))
        monkeypatch.setattr("augment_correction.store.folder.os.fsync", full)
        with pytest.raises(InputError, match="No space left on device"):
            project.run()


class TestADamagedJournal:
    def test_garbage_in_its_place_is_told_in_one_line(self, project: MadeProject) -> None:
        project.facts([1])
        project.config()
        project.write("out/journal.sqlite", "this is no database, whatever its name says" * 100)
        made = project.command()
        assert made.code == ExitCode.USER
        assert "journal.sqlite cannot be used: file is not a database" in made.err
        assert "move it away to start again" in made.err
        assert "Traceback" not in made.err

    def test_a_damaged_page_too(self, project: MadeProject) -> None:
        project.facts(range(40))
        project.run()
        journal = project.output / "journal.sqlite"
        data = bytearray(journal.read_bytes())
        data[4096 * 3 :] = b"\xff" * (len(data) - 4096 * 3)
        journal.write_bytes(data)
        with pytest.raises(
            InputError, match=r"journal\.sqlite cannot be (used|written): database disk image is malformed"
        ):
            project.run()

    def test_one_of_another_version_is_not_touched(self, project: MadeProject) -> None:
        project.facts([1])
        project.run()
        with sqlite3.connect(project.output / "journal.sqlite") as connection:
            connection.execute("PRAGMA user_version=99")
        connection.close()
        with pytest.raises(InputError, match="written by another version"):
            project.run()
