"""Ways in for tables that aren't handed over in one piece."""

from __future__ import annotations

from dlreg_core.ingest.uploads.arrived_file import read_arrived
from dlreg_core.ingest.uploads.remote_sources import place_name, place_pieces
from dlreg_core.ingest.uploads.storage_usage import KeptData, copies, delete_uploads, kept_data, opened_at
from dlreg_core.ingest.uploads.upload_receiver import Receiver, Upload, Uploads, note_end, note_waiting

__all__ = [
    "KeptData",
    "Receiver",
    "Upload",
    "Uploads",
    "copies",
    "delete_uploads",
    "kept_data",
    "note_end",
    "note_waiting",
    "opened_at",
    "place_name",
    "place_pieces",
    "read_arrived",
]
