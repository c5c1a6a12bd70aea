# How two-stream networks read videos: 340 x 256 pixels, of which 224 x 224 are cropped;
# clips of 11 frames (10 flows) for MotionNet and the temporal stream, of 31 frames (30
# flows) for I3D, single frames for the spatial stream. A shorter video repeats its last
# frame, as going back to its first one would look like motion.
augment = [
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(340, 256), keep_ratio=False),
    dict(
        type='MultiScaleCrop',
        input_size=224,
        scales=(1, 0.875, 0.75),
        max_wh_scale_gap=1),
    dict(type='Resize', scale=(224, 224), keep_ratio=False),
    dict(type='Flip', flip_ratio=0.5)
]
center_crop = [
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(340, 256), keep_ratio=False),
    dict(type='CenterCrop', crop_size=224)
]
ten_crops = [
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(340, 256), keep_ratio=False),
    dict(type='TenCrop', crop_size=224)
]
three_crops = [
    dict(type='DecodeFrames'),
    dict(type='Resize', scale=(-1, 256)),
    dict(type='ThreeCrop', crop_size=256)
]
# The file's name goes with the scores, so that those of two streams can be matched.
pack = dict(type='PackActionInputs', meta_keys=('img_shape', 'filename'))
pack_clips = [dict(type='FormatShape', input_format='NCTHW'), pack]
pack_frames = [dict(type='FormatShape', input_format='NCHW'), pack]

# clips of 11 frames; tested on 25 clips x 10 crops
clip = dict(
    type='SampleFrames', clip_len=11, out_of_bound_opt='repeat_last')
train_pipeline = [dict(type='OpenVideo'), clip, *augment, *pack_clips]
val_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, test_mode=True), *center_crop, *pack_clips
]
test_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, num_clips=25, test_mode=True), *ten_crops, *pack_clips
]
# three of them from three segments of the video (TSN)
segments_train_pipeline = [
    dict(type='OpenVideo'),
    dict(clip, num_clips=3), *augment, *pack_clips
]

# clips of 31 frames; tested on 10 clips x 3 crops, as mmaction2's I3D
long_clip = dict(clip, clip_len=31)
long_train_pipeline = [
    dict(type='OpenVideo'), long_clip, *augment, *pack_clips
]
long_val_pipeline = [
    dict(type='OpenVideo'),
    dict(long_clip, test_mode=True), *center_crop, *pack_clips
]
long_test_pipeline = [
    dict(type='OpenVideo'),
    dict(long_clip, num_clips=10, test_mode=True), *three_crops, *pack_clips
]

# single frames; tested on 25 frames x 10 crops
frame = dict(type='SampleFrames', clip_len=1)
frame_train_pipeline = [dict(type='OpenVideo'), frame, *augment, *pack_frames]
frame_segments_train_pipeline = [
    dict(type='OpenVideo'),
    dict(frame, num_clips=3), *augment, *pack_frames
]
frame_val_pipeline = [
    dict(type='OpenVideo'),
    dict(frame, test_mode=True), *center_crop, *pack_frames
]
frame_test_pipeline = [
    dict(type='OpenVideo'),
    dict(frame, num_clips=25, test_mode=True), *ten_crops, *pack_frames
]
