"""The one table from operation names to the layer families that build them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from morphml.errors import SpaceError
from morphml.graph.operation import CUSTOM_PREFIX
from morphml.nn.expression import Lowered
from morphml.nn.layers import (
    activation,
    attention,
    convolution,
    custom,
    dense,
    merge,
    mobile,
    normalization,
    pooling,
    recurrent,
    shape,
)
from morphml.nn.site import Site

#: What an operation becomes where it stands.
Lowering = Callable[[Site], Lowered]

LOWERINGS: Mapping[str, Lowering] = {
    "dense": dense.dense,
    "embedding": dense.embedding,
    "positional_embedding": dense.positional_embedding,
    "conv1d": convolution.convolution,
    "conv2d": convolution.convolution,
    "conv3d": convolution.convolution,
    "depthwise_conv2d": convolution.depthwise,
    "separable_conv2d": convolution.separable,
    "conv_transpose1d": convolution.transposed,
    "conv_transpose2d": convolution.transposed,
    "conv_transpose3d": convolution.transposed,
    "mbconv": mobile.mbconv,
    "squeeze_excite": mobile.squeeze_excite,
    "max_pool1d": pooling.max_pool,
    "max_pool2d": pooling.max_pool,
    "max_pool3d": pooling.max_pool,
    "avg_pool1d": pooling.avg_pool,
    "avg_pool2d": pooling.avg_pool,
    "avg_pool3d": pooling.avg_pool,
    "adaptive_avg_pool1d": pooling.adaptive,
    "adaptive_avg_pool2d": pooling.adaptive,
    "adaptive_avg_pool3d": pooling.adaptive,
    "adaptive_max_pool1d": pooling.adaptive,
    "adaptive_max_pool2d": pooling.adaptive,
    "adaptive_max_pool3d": pooling.adaptive,
    "global_avg_pool": pooling.global_average,
    "global_max_pool": pooling.global_max,
    "pool_sequence": pooling.sequence,
    "batch_norm": normalization.batch_norm,
    "layer_norm": normalization.layer_norm,
    "group_norm": normalization.group_norm,
    "rms_norm": normalization.rms_norm,
    "dropout": activation.dropout,
    **dict.fromkeys(activation.ACTIVATIONS, activation.activation),
    "softmax": activation.softmax,
    "flatten": shape.flatten,
    "reshape": shape.reshape,
    "to_sequence": shape.to_sequence,
    "narrow": shape.narrow,
    "upsample2d": shape.upsample,
    "identity": shape.identity,
    "zero": shape.zero,
    "lstm": recurrent.recurrent,
    "gru": recurrent.recurrent,
    "attention": attention.attention,
    "transformer_block": attention.transformer_block,
    "add": merge.add,
    "concat": merge.concat,
    "multiply": merge.multiply,
    "project": merge.project,
}


def lowering_of(site: Site) -> Lowering:
    """The layer family that builds the operation of ``site``.

    Raises:
        SpaceError: when there is none.
    """
    if site.op.startswith(CUSTOM_PREFIX):
        return custom.custom
    lowering = LOWERINGS.get(site.op)
    if lowering is None:
        raise SpaceError(f"no PyTorch layer is known for operation {site.op!r}", path=site.path)
    return lowering
