"""ganlab: a course on generative adversarial networks, and the package behind it.

The way through it: an objective written once in sympy (`ganlab.objectives`) becomes the losses that train
(`ganlab.training`) a generator and a discriminator (`ganlab.models`) on data (`ganlab.data`); what comes out is
measured (`ganlab.metrics`), drawn (`ganlab.plots`) and claimed (`ganlab.claims`).

Nothing heavy is imported here; torchvision, matplotlib and scikit-learn are loaded where they are used.
"""

__version__ = "0.1.0"
