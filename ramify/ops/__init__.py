"""Operations on tensors under Keras's names, thin over torch."""
