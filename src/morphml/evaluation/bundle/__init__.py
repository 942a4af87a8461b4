"""Source bundles: how an evaluator's code reaches workers that do not have it installed."""

from morphml.evaluation.bundle.extracting import extract
from morphml.evaluation.bundle.limits import BundleLimits
from morphml.evaluation.bundle.packing import Bundle, pack
from morphml.evaluation.bundle.roots import BundleRoot, bundle_root

__all__ = ["Bundle", "BundleLimits", "BundleRoot", "bundle_root", "extract", "pack"]
