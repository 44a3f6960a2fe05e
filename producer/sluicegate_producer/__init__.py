"""Publish uploads to sluicegate."""

from sluicegate_producer.errors import NotAcknowledged, NotAnUpload, NotConnected, PublishError
from sluicegate_producer.publisher import About, Receipt, UploadPublisher

__all__ = ["About", "NotAcknowledged", "NotAnUpload", "NotConnected", "PublishError", "Receipt", "UploadPublisher"]
