"""The warm process that predicts, and its light client."""
