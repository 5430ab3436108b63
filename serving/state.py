"""What one serving process works with. Made in the process, after the fork, and never changed."""

from __future__ import annotations

from dataclasses import dataclass

from serving.api_keys import Callers
from serving.cache import AnswerCache
from serving.deadlines import Deadlines
from serving.decode import FastDecoder
from serving.model import LoadedModel
from serving.redis_cache import RedisCache
from serving.scoring import Scoring
from serving.settings import Settings
from serving.telemetry import Identity, Telemetry


@dataclass
class State:
    """``shared_cache`` is opened when the event loop runs."""

    settings: Settings
    model: LoadedModel
    decoder: FastDecoder
    scoring: Scoring
    cache: AnswerCache | None
    callers: Callers | None
    telemetry: Telemetry
    deadlines: Deadlines
    shared_cache: RedisCache | None = None

    @classmethod
    def make(cls, settings: Settings, model: LoadedModel) -> State:
        """Errors: ``CallersError`` when the callers' keys cannot be read."""
        manifest = model.bundle.manifest
        identity = Identity(manifest.workload, settings.model_version, settings.bundle_digest, model.bundle.model.name)
        telemetry = Telemetry(settings, identity, model.load_seconds)
        scoring = Scoring(model, settings.max_in_flight, telemetry.depths)
        return cls(
            settings=settings,
            model=model,
            decoder=FastDecoder(model.bundle.schema.fields),
            scoring=scoring,
            cache=AnswerCache(settings.cache_entries) if settings.cache_entries else None,
            callers=Callers.open(settings),
            telemetry=telemetry,
            deadlines=Deadlines(settings.body_timeout_seconds),
        )

    def start(self) -> None:
        """Inside the event loop. Redis is for an engine slower than a millisecond: asking it costs more than a fast one does."""
        self.telemetry.start()
        if self.settings.redis_url and self.cache is not None and not self.scoring.inline:
            self.shared_cache = RedisCache(self.settings.redis_url, self.settings.bundle_digest)

    async def stop(self, seconds: float) -> None:
        """Lets go of everything; telemetry flushes within ``seconds``."""
        if self.shared_cache:
            await self.shared_cache.close()
        if self.callers:
            self.callers.close()
        self.scoring.close()
        self.telemetry.stop(seconds)
