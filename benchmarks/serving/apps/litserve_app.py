"""The forest behind LitServe, as its documentation shows a server. Usage: litserve_app.py PORT"""

import os
import sys

import joblib
import litserve  # type: ignore[import-not-found]  # only in the peer's own environment


class Forest(litserve.LitAPI):
    def setup(self, device):
        self.model = joblib.load(os.environ["MODEL_PATH"])

    def decode_request(self, request):
        return [[request["text_length"], request["num_keywords"]]]

    def predict(self, x):
        return self.model.predict_proba(x)[0, 1]

    def encode_response(self, output):
        return {"probability": float(output)}


if __name__ == "__main__":
    server = litserve.LitServer(Forest(), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False)
