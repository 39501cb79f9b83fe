import json
import re
import unicodedata
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import DocumentTooLarge, RefusedDocument, UnsupportedDocument
from engine.odin import DOCUMENT_TYPES, document_folder, document_name, metadata_of, sha256_of
from engine.odin.documents import require_acceptable
from engine.odin.models import Document
from engine.video import Video

VIDEO = Video(
    video_id="dQw4-_9WgXc",
    published_at=datetime(2024, 5, 6, 7, tzinfo=UTC),
    channel_id="UC1",
    channel_title="Käse & Brot",
    title='A "B": C\\D 100% ~ Ü',
    duration="PT1H2M3S",
)


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("2024-05-06_Müßiggang_dQw4-_9WgXc", "2024-05-06_Muessiggang_dQw4-_9WgXc.txt"),
        ("2024-05-06_Crème brûlée_id", "2024-05-06_Creme_brulee_id.txt"),
        ("u\u0308ber", "ueber.txt"),
        ("a_%~&_b", "a___b.txt"),
        ("2024-01-01_日本語___abcdefghi", "2024-01-01_____abcdefghi.txt"),
        ("videoId0123~1", "videoId0123_1.txt"),
        (".hidden", "hidden.txt"),
        ("Łódź Ærø ﬁ ½", "Lodz_Aero_fi_1_2.txt"),
        ("", "document.txt"),
    ],
)
def test_a_document_name_is_ascii_and_readable(stem, name):
    assert document_name(stem) == name


@given(st.text(max_size=400), st.from_regex(r"[A-Za-z0-9_-]{11}", fullmatch=True))
def test_a_name_is_safe_and_bounded_and_keeps_the_video_id_whole(title, video_id):
    name = document_name(f"2024-05-06_{title}_{video_id}", ".TXT")
    assert re.fullmatch(r"[A-Za-z0-9._-]{1,154}", name)
    assert name.endswith(f"_{video_id}.txt")


def test_a_long_stem_is_cut_before_its_id():
    name = document_name("2024-05-06_" + "Länge" * 60 + "_dQw4-_9WgXc")
    assert len(name) == 154
    assert name.endswith("_dQw4-_9WgXc.txt")


def test_the_folder_of_a_channel():
    assert document_folder("Käse & Brot") == "/Kaese_Brot"
    assert document_folder(None) == document_folder("日本") == "/"
    assert document_folder("../..") == "/"


def test_metadata_survive_quotes_and_backslashes_and_are_pure_ascii():
    metadata = metadata_of(
        VIDEO, sha256="ab", language="de", model="large-v3", preset="stabil", today=date(2025, 2, 3)
    )
    text = metadata.as_json()
    assert text.isascii()
    assert json.loads(text) == {
        "title": VIDEO.title,
        "sha256": "ab",
        "channel": "Käse & Brot",
        "url": "https://www.youtube.com/watch?v=dQw4-_9WgXc",
        "video_id": "dQw4-_9WgXc",
        "published": "2024-05-06T07:00:00Z",
        "duration_s": 3723.0,
        "language": "de",
        "model": "large-v3",
        "preset": "stabil",
        "author_name": "Käse & Brot",
        "uploaded_by": "tonspur",
        "added_by": "tonspur",
        "category": "transcript",
        "last_upload": "2025-02-03",
    }


def test_a_local_recording_has_no_address_and_a_measured_length():
    local = Video(video_id="abc", published_at=datetime(2024, 1, 1), title="talk")
    metadata = metadata_of(local, sha256="ab", duration_s=1.5)
    assert metadata.url is None
    assert metadata.duration_s == 1.5
    assert metadata.last_upload == datetime.now(UTC).date()


def test_all_ten_types_are_taken_in_any_letter_case(tmp_path):
    assert len(DOCUMENT_TYPES) == 10
    for kind in DOCUMENT_TYPES:
        path = tmp_path / f"a{kind.upper()}"
        path.write_bytes(b"\xff\xfe binary")
        require_acceptable(path, 100)


def test_what_odin_would_not_take_is_refused_with_its_reason(tmp_path):
    def made(name, size):
        path = tmp_path / name
        with path.open("wb") as file:
            file.truncate(size)
        return path

    with pytest.raises(UnsupportedDocument, match="txt, md, pdf"):
        require_acceptable(made("a.exe", 1), 10)
    with pytest.raises(RefusedDocument, match="empty"):
        require_acceptable(made("a.txt", 0), 10)
    with pytest.raises(DocumentTooLarge, match="ODIN_MAX_FILE_MB = 1"):
        require_acceptable(made("b.txt", 1024 * 1024 + 1), 1024 * 1024)
    require_acceptable(made("c.txt", 1024 * 1024), 1024 * 1024)
    with pytest.raises(RefusedDocument, match="cannot be read"):
        require_acceptable(tmp_path / "gone.txt", 10)
    (tmp_path / "folder.txt").mkdir()
    with pytest.raises(RefusedDocument, match="no file"):
        require_acceptable(tmp_path / "folder.txt", 10**6)
    with pytest.raises(RefusedDocument):
        sha256_of(tmp_path / "gone.txt")


def test_a_listed_document_is_read_in_every_shape():
    plain = Document(content_key="/Talks/a.txt", id="65f0", document_id="_p_a_txt")
    assert (plain.name, plain.key, plain.sha256) == ("a.txt", "_p_a_txt", None)
    told = Document(url="https://x/y/b.txt", id=7, status=" Brand-New ", metadata='{"sha256": "s"}')
    assert (told.name, told.key, told.sha256) == ("b.txt", "7", "s")
    assert told.status == "brand-new"
    assert Document(metadata="no json").metadata == {}
    assert Document(metadata=None).key is None


def test_letters_that_case_folding_would_lose_stay_distinct():
    assert document_name("dQw4w9WgXcQ") != document_name("dqw4w9wgxcq")
    assert unicodedata.normalize("NFC", document_name("Å")) == "Aa.txt"
