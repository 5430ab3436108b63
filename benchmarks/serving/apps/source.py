"""The source's service according to its design: scikit-learn's ``predict`` in a plain ``def`` route."""

import os

import joblib
from fastapi import FastAPI
from pydantic import BaseModel

model = joblib.load(os.environ["MODEL_PATH"])
app = FastAPI()


class Features(BaseModel):
    text_length: int
    num_keywords: int


@app.get("/health")
def health():
    return {"status": "ok"}


@app.post("/predict")
def predict(features: Features):
    prediction = model.predict([[features.text_length, features.num_keywords]])
    return {"prediction": int(prediction[0])}
