"""Saves the joblib forest as an MLflow model that returns probabilities. Usage: mlflow_model.py MODEL FOLDER"""

import sys

import joblib
import mlflow.sklearn  # only in the peer's own environment

mlflow.sklearn.save_model(
    joblib.load(sys.argv[1]), sys.argv[2], serialization_format="cloudpickle", pyfunc_predict_fn="predict_proba"
)
