"""Who takes part, in the order of the first round."""

from importlib.metadata import PackageNotFoundError, version

from benchmarks.peers.faster_whisper import FasterWhisper
from benchmarks.peers.openai_whisper import OpenAIWhisper
from benchmarks.peers.peer import Peer
from benchmarks.peers.tonspur import Tonspur
from benchmarks.peers.transformers_pipeline import TransformersPipeline
from benchmarks.peers.whisper_cpp import WhisperCpp

OURS = "tonspur"

ROSTER: tuple[Peer, ...] = (
    Tonspur(),
    FasterWhisper(batched=True),
    FasterWhisper(batched=True, beam=1),
    FasterWhisper(batched=False),
    FasterWhisper(batched=False, beam=1),
    OpenAIWhisper(),
    WhisperCpp(),
    TransformersPipeline(),
    TransformersPipeline(beam=1),
)


def named(key: str) -> Peer:
    """The peer of this key.

    Raises:
        KeyError: there is none.
    """
    return {peer.key: peer for peer in ROSTER}[key]


def missing(peer: Peer) -> str | None:
    """The first package that a peer lacks; None when it can run."""
    for package in peer.packages:
        try:
            version(package)
        except PackageNotFoundError:
            return package
    return None


def versions(peers: tuple[Peer, ...]) -> dict[str, str]:
    """The version of every package that these peers use."""
    packages = sorted({package for peer in peers for package in peer.packages})
    return {package: version(package) for package in packages}
