"""InMageRcm, the modernized architecture, with the unmodified SDK: from an empty subscription to an empty vault."""

from .journey import delete_vault, dissolve, make_and_remove_plan, move, protect
from .protected import discovered_machine


def test_a_machine_migrates_and_leaves_an_empty_vault(tell, served):
    async def story(azure):
        way = await discovered_machine(azure, served)
        item = await protect(azure, way)
        await make_and_remove_plan(azure, way, item)
        await move(azure, way)
        await dissolve(azure, (way.fabric, way.container))
        await azure.do("replication_fabrics.begin_delete", way.fabric)
        await delete_vault(azure)

    tell(story)
