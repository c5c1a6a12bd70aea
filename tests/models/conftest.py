# flowzoo before mmaction.models, which cannot be imported otherwise: any file here runs
# alone.
import flowzoo  # noqa: F401
