"""What a folder of the predecessor's would bring, group by group, without changing anything."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from engine.adoption import texts
from engine.adoption.groups import Group, groups
from engine.adoption.identity import Identity, identity
from engine.adoption.texts import NoTranscript, OldText
from engine.audio.probing import probe
from engine.errors import BadAddress, BadMedia, TonspurError
from engine.library.local import file_id
from engine.library.shelf import Entry, Library
from engine.library.sidecar import Sidecar

ADOPTED = "adopted"
"""What the records of steps give as their cause."""


@dataclass(frozen=True)
class Planned:
    """One recording: what it is, what is there of it, and why it is left out if it is."""

    group: Group
    who: Identity | None = None
    video_id: str | None = None
    text: OldText | None = None
    skipped: str | None = None
    failed: str | None = None

    @property
    def bytes(self) -> int:
        """Size of the media that would be copied."""
        left_out = self.skipped or self.failed
        return 0 if left_out else sum(file.stat().st_size for file in self.group.media)


def plan(folder: Path, library: Library) -> Iterator[Planned]:
    """Everything that the folder holds.

    Raises:
        BadAddress: there is no such folder.
    """
    folder = folder.absolute()
    if not folder.is_dir():
        raise BadAddress(f"There is no folder {folder}.")
    inside = library.root if library.root != folder else None
    every = groups(folder, without=inside)
    titles = _channel_titles(every, folder)
    known = {entry.video_id: entry for entry in library.entries()}
    seen: dict[str, Path] = {}
    for group in every:
        planned = _planned(group, titles)
        if planned.video_id and not (planned.skipped or planned.failed):
            planned = _unless_there(planned, known, library, seen)
        yield planned


def _planned(group: Group, titles: Mapping[str, str]) -> Planned:
    if group.is_ours:
        return Planned(group, skipped="Tonspur made it")
    text, trouble = None, _without_bad_media(group)
    if group.text:
        try:
            text = texts.read(group.text)
        except (NoTranscript, OSError) as error:
            trouble = trouble or str(error)
    who = identity(group, text.described if text else {}, titles)
    if text and not (text.timed or text.described or group.media or who.video):
        return Planned(group, skipped="no transcript: neither times nor a recording")
    if text is None and not (who.video and group.media):
        if trouble:
            return Planned(group, failed=trouble)
        if not group.media:
            return Planned(group, skipped="no transcript")
        said = "no transcript and no video id: `tonspur file` transcribes it"
        return Planned(group, skipped=said)
    if trouble:
        who = replace(who, remark=" ".join(filter(None, (who.remark, trouble))))
    try:
        return Planned(group, who, _id(group, who), text)
    except (TonspurError, OSError) as error:
        return Planned(group, failed=str(error))


def _without_bad_media(group: Group) -> str | None:
    """Leave out media that nobody can play; why, if there are any."""
    trouble = None
    for file in list(group.media):
        try:
            probe(file)
        except BadMedia as error:
            group.media.remove(file)
            trouble = str(error)
    return trouble


def _unless_there(
    planned: Planned, known: Mapping[str, Entry], library: Library, seen: dict[str, Path]
) -> Planned:
    video_id = str(planned.video_id)
    if first := seen.get(video_id):
        return Planned(planned.group, video_id=video_id, skipped=f"the same as {first}")
    seen[video_id] = planned.group.path
    entry = known.get(video_id)
    if entry and is_taken(entry, library, with_text=planned.text is not None):
        return Planned(planned.group, video_id=video_id, skipped="already in the library")
    return planned


def is_taken(entry: Entry, library: Library, *, with_text: bool) -> bool:
    """Whether the library has a transcript of it, or media where there is no more to have."""
    sidecar = library.read(entry)
    heard = sidecar.steps.get("transcript")
    if heard and heard.status == "done" and heard.cause != ADOPTED:
        return True  # the engine's own is better, and a run may be at work on it
    written = sidecar.steps.get("write")
    if written and written.status == "done" and entry.text.is_file():
        return sidecar.attempts > 0
    return not with_text and _has_media(sidecar)


def _has_media(sidecar: Sidecar) -> bool:
    download = sidecar.steps.get("download")
    return download is not None and download.status == "done"


def _id(group: Group, who: Identity) -> str:
    """The video's, else one of the content: of the recording, or of the text where it is alone."""
    if who.video:
        return who.video.video_id
    source = group.media[0] if group.media else group.text
    if source is None:
        raise BadAddress(f"{group.stem} has no file.")
    return file_id(source)[0]


def _channel_id(group: Group) -> str | None:
    found = group.described.get("channelId")
    return found if isinstance(found, str) else None


def _channel_titles(every: list[Group], root: Path) -> dict[str, str]:
    """Channels that have a folder to themselves are called like it: sidecars tell no title."""
    channels: dict[Path, set[str | None]] = defaultdict(set)
    for group in every:
        if group.folder != root:
            channels[group.folder].add(_channel_id(group))
    titles: dict[str, str] = {}
    for folder, found in sorted(channels.items()):
        told = found - {None}
        if len(told) == 1:
            titles.setdefault(str(told.pop()), folder.name)
    return titles
