"""What assets and sensors need from outside: the installation."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack

import dagster as dg
from dagster._core.storage.tags import GRPC_INFO_TAG
from pydantic import PrivateAttr

from klip_assets.contracts.subject import is_day
from klip_assets.defs.launcher import worker_tag
from klip_assets.defs.partitions import DAYS
from klip_assets.defs.tags import PARTITION_TAG, RANGE_END_TAG, RANGE_START_TAG
from klip_assets.settings import Settings
from klip_assets.store.lake.lake import Lake
from klip_assets.store.lake.stage_status import partition_lock
from klip_assets.store.lake.tweet_sources import day_version
from klip_assets.store.locks import hold
from klip_assets.store.state.attempts import Attempts
from klip_assets.store.state.registry import Registry
from klip_assets.work.acceptance import is_whole


class Installation(dg.ConfigurableResource):
    """One Klip installation: its settings, lake and inbox memory.

    A run on a video or on days of tweets holds their lock from its first step to its last, so that the daemon and
    the command line can't work on one of them at once.
    """

    _held: ExitStack = PrivateAttr(default_factory=ExitStack)
    _subjects: list[str] = PrivateAttr(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The settings, read from the environment."""
        return Settings()

    @property
    def lake(self) -> Lake:
        """The Parquet partitions."""
        return Lake(self.settings.lake_dir)

    @property
    def registry(self) -> Registry:
        """What is remembered of the inbox."""
        return Registry(self.settings.memory_path)

    @property
    def attempts(self) -> Attempts:
        """What is remembered of runs that failed or died."""
        return Attempts(self.settings.memory_path)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Take the lock of what the run works on, and note that work on it begins."""
        if context.run and context.instance and GRPC_INFO_TAG in context.run.tags:
            # For run monitoring: see `klip_assets.defs.launcher`.
            context.instance.add_run_tags(context.run.run_id, worker_tag(context.run.run_id))
        tags = context.run.tags if context.run else {}
        job_name = context.run.job_name if context.run else ""
        settings = self.settings
        key = tags.get(PARTITION_TAG)
        if RANGE_START_TAG in tags or (key and is_day(key)) or job_name == "ingest_tweets":
            path, what = partition_lock(settings.lake_dir, "day", ""), "the tweets"
        elif key:
            path, what = partition_lock(settings.lake_dir, "video_id", key), f"video {key}"
        else:
            return
        notify = context.log.info if context.log else None
        self._held.enter_context(hold(path, what=what, timeout_s=settings.lock_timeout_s, on_wait=notify))
        versions = self._versions(tags)
        self._subjects = list(versions)
        self.attempts.begin(versions)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """Note how the work ended, and release the lock."""
        try:
            # Not "a stage of this run failed": a run can end between stages, and then has not done its work either.
            whole = {key: is_whole(self.lake, "day" if is_day(key) else "video_id", key) for key in self._subjects}
            self.attempts.end({key: not done for key, done in whole.items()})
            for key in (key for key, done in whole.items() if done and not is_day(key)):
                # A run that was killed after it wrote the transcript could not remove it.
                self.settings.chunk_log(key).unlink(missing_ok=True)
        finally:
            self._subjects = []
            self._held.close()

    def _versions(self, tags: Mapping[str, str]) -> dict[str, str]:
        key = tags.get(PARTITION_TAG)
        if RANGE_START_TAG in tags:
            days = DAYS.get_partition_keys_in_range(dg.PartitionKeyRange(tags[RANGE_START_TAG], tags[RANGE_END_TAG]))
        elif key and is_day(key):
            days = [key]
        elif key:
            return {key: self.registry.fingerprint_of(key)}
        else:
            return {}
        return {day: day_version(self.lake, day) for day in days}
