"""FastAPI that reads and checks the same body and predicts nothing: what the framework alone costs."""

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()


class Features(BaseModel):
    text_length: int
    num_keywords: int


@app.post("/predict")
async def predict(features: Features):
    return {"prediction": 1}
