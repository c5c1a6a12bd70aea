# MoNet, and a linear classifier for each stream. Batch sizes and everything that the
# paper does not say is our choice.
model = dict(
    type='FeatureTwoStream',
    learn='hallucination',
    per_stream=True,
    appearance_head=dict(
        type='LinearSequenceHead', num_classes=400, in_channels=1024),
    flow_head=dict(
        type='LinearSequenceHead', num_classes=400, in_channels=1024),
    neck=dict(
        type='MoNet',
        in_channels=1024,
        out_channels=1024,
        num_layers=5,
        variant='paper'),
    hallucination_loss=dict(type='HallucinationLoss', alpha=10.0),
    data_preprocessor=dict(type='FeatureDataPreprocessor'))
