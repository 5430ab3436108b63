"""Addresses of Airflow's own pages and of a version's documents."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlsplit

from airflow.configuration import conf
from airflow.models.dag import DagModel
from nightjar.links import page_url
from sqlalchemy import select
from sqlalchemy.orm import Session

from include.lake import layout, state_keys
from include.lake.days import parse_day
from include.lake.uris import s3_uri
from include.pipelines.models.rows import card_uri
from include.pipelines.models.versions import Version
from include.pipelines.protocols import StateStore

KINDS = {"deploy": "Deploys", "retrain": "Retrain runs", "process": "Process runs", "monitor": "Monitor runs"}


def root() -> str:
    """The path of Airflow's UI."""
    return urlsplit(conf.get("api", "base_url", fallback="")).path.rstrip("/")


def run_page(dag_id: str, run_id: str) -> str:
    """The page of a run."""
    return f"{root()}/dags/{quote(dag_id, safe='')}/runs/{quote(run_id, safe='')}"


def workload_pages(workload: str, session: Session) -> dict[str, str]:
    """Text → address, of Airflow's pages about a workload."""
    ids = {f"{workload}_{kind}": text for kind, text in KINDS.items()}
    known = set(session.scalars(select(DagModel.dag_id).where(DagModel.dag_id.in_(ids), ~DagModel.is_stale)))
    pages = {text: f"{root()}/dags/{quote(dag_id, safe='')}" for dag_id, text in ids.items() if dag_id in known}
    return {**pages, "Audit log": f"{root()}/dags/{quote(f'{workload}_deploy', safe='')}/events"}


def version_pages(version: Version, state: StateStore, bucket: str, client: Any) -> dict[str, str]:
    """Text → address, of a version's documents that a console shows.

    Args:
        version: The version.
        state: The state table, which knows the audit of the version's day.
        bucket: The artifact bucket.
        client: A boto3 client of the endpoint.
    """
    metadata = version.package.metadata
    uris = {
        "Model card": card_uri(version) or "",
        "Evaluation": metadata["evaluation_uri"],
        "Decision": metadata["decision_uri"],
        "Shadow report": metadata.get("shadow_uri", ""),
        "Data Docs": _data_docs(version, state, bucket),
    }
    return {text: address for text, uri in uris.items() if (address := page_url(uri, client))}


def _data_docs(version: Version, state: StateStore, bucket: str) -> str:
    workload = version.package.metadata["workload"]
    try:
        day = parse_day(version.package.metadata["day"])
    except ValueError:
        return ""
    run = (state.get(*state_keys.day_key(workload, day)) or {}).get("run", "")
    return s3_uri(bucket, layout.data_docs_prefix(workload, run) + layout.DATA_DOCS_PAGE) if run else ""
