"""The founding example as a TensorFlow v1 session. Records curve_tensorflow.json.

    pip install tensorflow==2.21.0 pandas safetensors
    python founding_tensorflow.py
"""

import numpy as np
import tensorflow as tf

import founding

v1 = tf.compat.v1
v1.disable_eager_execution()

inputs, targets = founding.data()
start = founding.initial()
tasks = ("height", "weight")

x = v1.placeholder(tf.float32, [None, 2])
y = v1.placeholder(tf.float32, [None, 2])
w1 = v1.Variable(start["trunk.0.weight"])
b1 = v1.Variable(start["trunk.0.bias"])
w2 = v1.Variable(np.hstack([start[f"heads.{task}.0.weight"] for task in tasks]))
b2 = v1.Variable(np.hstack([start[f"heads.{task}.0.bias"] for task in tasks]))

hidden = tf.matmul(x, w1) + b1
output = tf.matmul(hidden, w2) + b2
# tf.nn.l2_loss(v) is 0.5 * ||v||^2.
penalty = tf.add_n([tf.nn.l2_loss(v) for v in v1.trainable_variables()])
loss = tf.reduce_mean(tf.square(output - y)) + founding.L2 * penalty
# This Adam adds epsilon to sqrt(v) before v's bias is corrected ("epsilon hat" in Kingma and Ba, section 2).
step = v1.train.AdamOptimizer(founding.LEARNING_RATE, beta1=0.9, beta2=0.999, epsilon=1e-8).minimize(loss)

feed = {x: inputs, y: targets}
losses = []
with v1.Session() as session:
    session.run(v1.global_variables_initializer())
    for _ in range(founding.STEPS):
        losses.append(session.run(loss, feed))
        session.run(step, feed)
    losses.append(session.run(loss, feed))
founding.write_curve("tensorflow", tf.__version__, losses)
