"""The folders: library and state, and their disks."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from deployments.checks import Check, fail, ok, warn
from engine.library.local import writable
from engine.settings import Settings

_ALMOST_NOTHING_GB = 1.0
_LONGEST_NAME = 255
_SHARES = {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "fuse.sshfs", "afs"}


def library(settings: Settings) -> Iterator[Check]:
    """Whether it can be written, and has room."""
    yield _written("library", settings.library_dir, "LIBRARY_DIR")
    yield _room(settings.library_dir, settings.disk_least_gb)


def state(settings: Settings) -> Iterator[Check]:
    """Whether it can be written, and is a disk of this machine."""
    folder = settings.state_dir
    if _is_share(folder):
        said = f"{folder} is a share: SQLite's journal is not safe there"
        yield fail("state", said, "Set STATE_DIR to a folder on a local disk.")
    else:
        yield _written("state", folder, "STATE_DIR")


def long_paths(settings: Settings) -> Iterator[Check]:
    """Whether names as long as Tonspur makes them are allowed."""
    if sys.platform == "win32":  # windows only
        yield _windows_long_paths()
        return
    longest = os.pathconf(_nearest(settings.library_dir), "PC_NAME_MAX")
    if longest < _LONGEST_NAME:
        fix = "Move LIBRARY_DIR to a file system with names of 255 bytes."
        yield warn("long names", f"{longest} bytes", fix)
    else:
        yield ok("long names", f"{longest} bytes")


def _written(name: str, folder: Path, setting: str) -> Check:
    """Try it with a file of our own, or look at the folder in which it would be made."""
    nearest = _nearest(folder)
    fix = f"Give your user the right to write there, or set {setting}."
    if not nearest.is_dir() or not writable(nearest):
        return fail(name, f"{nearest} cannot be written", fix)
    if nearest != folder:
        return ok(name, f"{folder}, made when it is needed")
    probe = folder / ".~doctor"
    try:
        probe.write_bytes(b"?")
        probe.unlink()
    except OSError as error:
        return fail(name, f"{folder}: {error.strerror}", fix)
    return ok(name, folder)


def _room(folder: Path, least_gb: float) -> Check:
    try:
        free_gb = shutil.disk_usage(_nearest(folder)).free / 1e9
    except OSError as error:  # a drive that is not connected
        return fail("disk", f"{folder}: {error.strerror}", "Connect it, or set LIBRARY_DIR.")
    found = f"{free_gb:.1f} GB free for {folder}"
    if free_gb < _ALMOST_NOTHING_GB:
        return fail("disk", found, "Free some space, or set LIBRARY_DIR to another disk.")
    if free_gb < least_gb:
        fix = "Free some space, set MEDIA_KEPT_DAYS or KEEP_MEDIA=false, or lower DISK_LEAST_GB."
        return warn("disk", found, fix)
    return ok("disk", found)


def _nearest(folder: Path) -> Path:
    return next((path for path in (folder, *folder.parents) if _is_there(path)), folder)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a share that is gone, or a folder above that nobody may enter
        return False


def _is_share(folder: Path) -> bool:
    if sys.platform == "win32":  # windows only
        import ctypes

        remote = 4  # DRIVE_REMOTE of GetDriveTypeW
        return bool(ctypes.windll.kernel32.GetDriveTypeW(folder.anchor) == remote)
    import psutil

    real = _nearest(folder).resolve()
    mounts = {Path(one.mountpoint): one.fstype for one in psutil.disk_partitions(all=True)}
    kind = next((mounts[path] for path in (real, *real.parents) if path in mounts), "")
    return kind in _SHARES


def _windows_long_paths() -> Check:  # windows only
    import winreg  # type: ignore[import-not-found,unused-ignore]

    place = r"SYSTEM\CurrentControlSet\Control\FileSystem"
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:  # type: ignore[attr-defined]
        value, _ = winreg.QueryValueEx(key, "LongPathsEnabled")  # type: ignore[attr-defined]
    if value:
        return ok("long paths", "allowed")
    fix = (
        "As administrator in PowerShell: Set-ItemProperty "
        rf"HKLM:\{place} LongPathsEnabled 1; or a short LIBRARY_DIR."
    )
    return warn("long paths", "paths above 260 characters fail", fix)
