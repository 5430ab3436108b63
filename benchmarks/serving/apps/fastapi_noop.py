"""FastAPI that validates the same body and answers a constant: the cost of the framework alone."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Features(BaseModel):
    text_length: int
    num_keywords: int


@app.post("/predict")
async def predict(features: Features):
    return {"prediction": 1}
