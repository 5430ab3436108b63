"""The objects that one worker works with. They are made in the worker, after the fork, and never replaced."""

from __future__ import annotations

from dataclasses import dataclass

from serving.api_keys import ApiKeys
from serving.cache import AnswerCache
from serving.deadlines import Deadlines
from serving.decode import Decoder, make_decoder
from serving.elasticache_iam import ElasticacheIam
from serving.feedback import Feedback
from serving.model import LoadedModel
from serving.redis_cache import RedisCache
from serving.scoring import Scoring
from serving.settings import Settings
from serving.telemetry import Recorder, ServedModel, Telemetry


@dataclass
class State:
    """One worker's objects.

    Attributes:
        shared_cache: The cache in Redis. It is opened by :meth:`start`, because it needs the event loop.
    """

    settings: Settings
    model: LoadedModel
    decoder: Decoder
    scoring: Scoring
    cache: AnswerCache | None
    api_keys: ApiKeys | None
    telemetry: Recorder
    deadlines: Deadlines
    feedback: Feedback | None = None
    shared_cache: RedisCache | None = None

    @classmethod
    def make(cls, settings: Settings, model: LoadedModel) -> State:
        """Makes the objects. Call it in the worker.

        Raises:
            ApiKeysError: The callers' keys cannot be read.
        """
        served = ServedModel(
            model.bundle.manifest.workload, settings.model_version, settings.bundle_digest, model.bundle.model.name
        )
        telemetry = Telemetry(settings, served, model.load_seconds)
        return cls(
            settings=settings,
            model=model,
            decoder=make_decoder(model.bundle.schema),
            scoring=Scoring(model, settings.max_in_flight, telemetry.depths),
            cache=AnswerCache(settings.cache_entries) if settings.cache_entries else None,
            api_keys=ApiKeys.open(settings),
            telemetry=telemetry,
            deadlines=Deadlines(settings.body_timeout_seconds),
            feedback=Feedback.open(settings),
        )

    def start(self) -> None:
        """Starts telemetry and opens Redis. Call it inside the event loop.

        Redis is used only for an engine slower than a millisecond: asking it costs more than a fast engine's answer.
        """
        self.telemetry.start()
        if self.settings.redis_url and self.cache is not None and not self.scoring.inline:
            cache, user = self.settings.redis_iam_cache, self.settings.redis_iam_user
            credentials = ElasticacheIam(cache, user) if cache and user else None
            self.shared_cache = RedisCache(self.settings.redis_url, self.settings.bundle_digest, credentials)

    async def stop(self, seconds: float) -> None:
        """Closes everything. Telemetry sends what it has buffered, within ``seconds``."""
        if self.shared_cache:
            await self.shared_cache.close()
        if self.api_keys:
            self.api_keys.close()
        if self.feedback:
            self.feedback.close()
        self.scoring.close()
        self.telemetry.stop(seconds)
