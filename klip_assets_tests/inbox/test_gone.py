"""Gone or unreadable: a tweet file counts as removed only if its folder could be listed and it was not there."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path, PurePath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from klip_assets.inbox.listing import list_files
from klip_assets.inbox.tweet_changes import TweetChanges, tweet_changes
from klip_assets.settings import Settings
from klip_assets.store.state.registry import Registry
from klip_assets_tests.privileges import bound_by_permissions

NAMES = ("a.jsonl", "b.jsonl", "2024/c.jsonl", "2024/may/d.jsonl", "2025/e.jsonl")


@pytest.fixture
def inbox(settings: Settings, registry: Registry) -> Path:
    """Five files in four folders, all of them read."""
    for name in NAMES:
        path = settings.tweet_inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    read(settings.tweet_inbox, registry)
    return settings.tweet_inbox


@pytest.fixture
def closed() -> Iterator[list[tuple[Path, int]]]:
    """Folders to take rights from: given back at the end."""
    folders: list[tuple[Path, int]] = []
    yield folders
    for folder, _ in folders:
        folder.chmod(0o755)


def read(root: Path, registry: Registry) -> None:
    for file in tweet_changes(root, registry, None).fresh:
        registry.record_staged(file.name, file.signature, file.sha256)


def names(found: list[PurePath]) -> set[str]:
    return {str(name) for name in found}


def look(root: Path, registry: Registry) -> TweetChanges:
    with bound_by_permissions():
        return tweet_changes(root, registry, None)


@pytest.mark.parametrize("mode", [0o000, 0o444, 0o111])
@pytest.mark.parametrize("folder", [".", "2024", "2024/may"])
def test_a_folder_that_can_not_be_read_is_named_and_its_files_are_not_gone(
    folder: str, mode: int, inbox: Path, registry: Registry, closed: list[tuple[Path, int]]
) -> None:
    (inbox / "b.jsonl").unlink()
    closed.append((inbox / folder, mode))
    (inbox / folder).chmod(mode)
    found = look(inbox, registry)
    assert names(found.gone) == (set() if folder == "." else {"b.jsonl"})
    assert (found.missing, found.fresh) == ([], [])
    assert found.unreadable == {folder: "can't be read: Permission denied"}


def test_a_folder_that_is_not_there_is_not_read_and_nothing_of_it_is_gone(inbox: Path, registry: Registry) -> None:
    shutil.rmtree(inbox)
    found = look(inbox, registry)
    assert (found.gone, found.missing) == ([], [])
    assert found.unreadable == {".": "can't be read: No such file or directory"}


def test_where_all_files_are_gone_at_once_none_counts_as_removed(inbox: Path, registry: Registry) -> None:
    shutil.rmtree(inbox)
    inbox.mkdir()
    found = look(inbox, registry)
    assert found.gone == [] and names(found.missing) == set(NAMES)
    # Something else comes, such as posts that are fetched: what was missing still is.
    (inbox / "new.jsonl").write_text("new")
    read(inbox, registry)
    found = look(inbox, registry)
    assert found.gone == [] and names(found.missing) == set(NAMES)


def test_a_file_that_comes_back_is_missing_no_more(inbox: Path, registry: Registry) -> None:
    shutil.move(inbox, inbox.with_name("elsewhere"))
    inbox.mkdir()
    assert len(look(inbox, registry).missing) == len(NAMES)
    inbox.rmdir()
    shutil.move(inbox.with_name("elsewhere"), inbox)
    found = look(inbox, registry)
    assert (found.missing, found.gone, found.fresh) == ([], [], [])
    (inbox / "a.jsonl").unlink()
    assert names(look(inbox, registry).gone) == {"a.jsonl"}


def test_a_folder_with_nothing_left_in_it_may_be_a_lost_mount_but_one_that_is_removed_is_not(
    inbox: Path, registry: Registry
) -> None:
    (inbox / "2025" / "e.jsonl").unlink()
    shutil.rmtree(inbox / "2024")
    found = look(inbox, registry)
    assert names(found.missing) == {"2025/e.jsonl"}
    assert names(found.gone) == {"2024/c.jsonl", "2024/may/d.jsonl"}


def test_a_link_to_a_place_that_is_lost_is_not_a_removed_file(inbox: Path, registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "far.jsonl").write_text("far")
    (inbox / "far.jsonl").symlink_to(tmp_path / "disk" / "far.jsonl")
    read(inbox, registry)
    shutil.rmtree(tmp_path / "disk")
    found = look(inbox, registry)
    assert (found.gone, found.missing) == ([], [])
    assert found.unreadable == {"far.jsonl": "can't be read: No such file or directory"}
    (inbox / "far.jsonl").unlink()
    assert names(look(inbox, registry).gone) == {"far.jsonl"}


def test_what_lies_below_a_folder_with_an_odd_name_is_not_gone_when_it_can_not_be_read(
    inbox: Path, registry: Registry, closed: list[tuple[Path, int]]
) -> None:
    folder = inbox / "caf\udce9"
    folder.mkdir()
    (folder / "x.jsonl").write_text("x")
    read(inbox, registry)
    closed.append((folder, 0))
    folder.chmod(0)
    assert look(inbox, registry).gone == []


@given(kept=st.sets(st.sampled_from(NAMES)), shut=st.sets(st.sampled_from(("2024", "2024/may", "2025"))))
def test_only_what_was_looked_for_and_not_found_is_gone_and_never_everything(
    kept: set[str], shut: set[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    base = tmp_path_factory.mktemp("gone")
    root, registry = base / "tweets", Registry(base / "inbox.sqlite")
    for name in NAMES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    read(root, registry)
    for name in set(NAMES) - kept:
        (root / name).unlink()
    for folder in shut:
        (root / folder).chmod(0)
    try:
        found = look(root, registry)
    finally:
        for folder in sorted(shut):
            (root / folder).chmod(0o755)
    hidden = {name for name in NAMES if any(name.startswith(f"{folder}/") for folder in shut)}
    gone, missing = names(found.gone), names(found.missing)
    assert gone | missing == set(NAMES) - kept - hidden
    assert not gone & missing and gone != set(NAMES)
    shutil.rmtree(base)


def test_hidden_and_unfinished_files_are_not_listed_and_links_that_are_not_followed_are_named(tmp_path: Path) -> None:
    for name in (".hidden", "a.mp4.part", "b.tmp", "c.txt"):
        (tmp_path / name).write_text("x")
    (tmp_path / "nowhere").symlink_to("/nowhere")
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    found = list_files(tmp_path)
    assert found.files == [tmp_path / "c.txt"] and found.empty == []
    assert found.unreadable == {
        tmp_path / "nowhere": "can't be read: No such file or directory",
        tmp_path / "loop": "can't be read: links to folders are not followed",
    }
