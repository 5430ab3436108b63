"""The forest behind BentoML, as its documentation shows a service."""

import os

import bentoml  # type: ignore[import-not-found]  # only in the peer's own environment
import joblib


@bentoml.service
class Forest:
    def __init__(self) -> None:
        self.model = joblib.load(os.environ["MODEL_PATH"])

    @bentoml.api
    def predict(self, text_length: int, num_keywords: int) -> dict:
        return {"probability": float(self.model.predict_proba([[text_length, num_keywords]])[0, 1])}
