"""Programs of other frameworks on torch tensors: what the layers around them (`ramify.layers.foreign`) stand on."""
