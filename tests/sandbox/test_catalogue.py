from sandbox.spec import SandboxChannel, SandboxSpec
from sandbox.world import Catalogue

CHANNEL = SandboxChannel(id="UC" + "b" * 22, handle="@big", title="Big", generated=20_500)
UPLOADS = "UU" + "b" * 22


def test_an_uploads_list_ends_at_the_cap_and_is_built_once() -> None:
    catalogue = Catalogue(SandboxSpec(channels=(CHANNEL,)))
    listed = catalogue.playlist(UPLOADS)
    assert listed is not None
    assert len(listed.videos) == 20_000
    assert catalogue.playlist(UPLOADS) is listed  # 20,000 videos are not copied for every page
    assert catalogue.playlist("UUSH" + "b" * 22) is None
    assert len(catalogue.videos_of(CHANNEL)) == 20_500
