"""Claims for mypy that the classes of conf/ meet their protocols: ``python -m tests.test_protocols``."""

from __future__ import annotations

import nasctl.constraint.limit
import nasctl.constraint.none
import nasctl.constraint.several
import nasctl.dataset.breast_cancer
import nasctl.dataset.cifar10
import nasctl.dataset.criteo
import nasctl.dataset.criteo_synthetic
import nasctl.dataset.digits
import nasctl.dataset.imagenet
import nasctl.dataset.none
import nasctl.dataset.ptb
import nasctl.dataset.python_docs
import nasctl.estimator.from_scratch
import nasctl.estimator.stacked
import nasctl.estimator.supernet
import nasctl.estimator.synthetic
import nasctl.estimator.table
import nasctl.estimator.toy
import nasctl.estimator.zero_cost
import nasctl.reward.absolute
import nasctl.reward.metric
import nasctl.reward.perplexity
import nasctl.reward.power
import nasctl.space.darts
import nasctl.space.enas_macro
import nasctl.space.enas_micro
import nasctl.space.ffn
import nasctl.space.lstm
import nasctl.space.nasbench201
import nasctl.space.nats_size
import nasctl.space.resnet
import nasctl.space.rhn
import nasctl.space.rnn_darts
import nasctl.space.rnn_nas_rl
import nasctl.space.toy
import nasctl.strategy.bayesian
import nasctl.strategy.darts
import nasctl.strategy.enas
import nasctl.strategy.enumeration
import nasctl.strategy.local_search
import nasctl.strategy.random_search
import nasctl.strategy.regularized_evolution
import nasctl.strategy.reinforce
import nasctl.strategy.tpe
import nasctl.trainer.classifier
import nasctl.trainer.language_model
import nasctl.trainer.schedule.cosine
import nasctl.trainer.schedule.decay
import nasctl.trainer.schedule.exponential
import nasctl.trainer.schedule.linear
from nasctl.core import Constraint, Dataset, Estimator, Reward, SearchSpace, Strategy, Trainer
from nasctl.trainer._schedule import Schedule


def space_darts(made: nasctl.space.darts.Darts) -> SearchSpace:
    return made


def space_enasmacro(made: nasctl.space.enas_macro.EnasMacro) -> SearchSpace:
    return made


def space_enasmicro(made: nasctl.space.enas_micro.EnasMicro) -> SearchSpace:
    return made


def space_ffn(made: nasctl.space.ffn.FFN) -> SearchSpace:
    return made


def space_lstm(made: nasctl.space.lstm.Lstm) -> SearchSpace:
    return made


def space_nasbench201(made: nasctl.space.nasbench201.NasBench201) -> SearchSpace:
    return made


def space_natssize(made: nasctl.space.nats_size.NatsSize) -> SearchSpace:
    return made


def space_resnet(made: nasctl.space.resnet.ResNet) -> SearchSpace:
    return made


def space_rhn(made: nasctl.space.rhn.Rhn) -> SearchSpace:
    return made


def space_rnndarts(made: nasctl.space.rnn_darts.RnnDarts) -> SearchSpace:
    return made


def space_rnnnasrl(made: nasctl.space.rnn_nas_rl.RnnNasRl) -> SearchSpace:
    return made


def space_toy(made: nasctl.space.toy.Toy) -> SearchSpace:
    return made


def strategy_bayesian(made: nasctl.strategy.bayesian.Bayesian) -> Strategy:
    return made


def strategy_darts(made: nasctl.strategy.darts.Darts) -> Strategy:
    return made


def strategy_enas(made: nasctl.strategy.enas.Enas) -> Strategy:
    return made


def strategy_enumeration(made: nasctl.strategy.enumeration.Enumeration) -> Strategy:
    return made


def strategy_localsearch(made: nasctl.strategy.local_search.LocalSearch) -> Strategy:
    return made


def strategy_randomsearch(made: nasctl.strategy.random_search.RandomSearch) -> Strategy:
    return made


def strategy_regularizedevolution(made: nasctl.strategy.regularized_evolution.RegularizedEvolution) -> Strategy:
    return made


def strategy_reinforce(made: nasctl.strategy.reinforce.Reinforce) -> Strategy:
    return made


def strategy_tpe(made: nasctl.strategy.tpe.TPE) -> Strategy:
    return made


def estimator_fromscratch(made: nasctl.estimator.from_scratch.FromScratch) -> Estimator:
    return made


def estimator_stacked(made: nasctl.estimator.stacked.Stacked) -> Estimator:
    return made


def estimator_supernet(made: nasctl.estimator.supernet.Supernet) -> Estimator:
    return made


def estimator_synthetic(made: nasctl.estimator.synthetic.Synthetic) -> Estimator:
    return made


def estimator_table(made: nasctl.estimator.table.Table) -> Estimator:
    return made


def estimator_toy(made: nasctl.estimator.toy.Toy) -> Estimator:
    return made


def estimator_zerocost(made: nasctl.estimator.zero_cost.ZeroCost) -> Estimator:
    return made


def dataset_breastcancer(made: nasctl.dataset.breast_cancer.BreastCancer) -> Dataset:
    return made


def dataset_cifar(made: nasctl.dataset.cifar10.CIFAR) -> Dataset:
    return made


def dataset_criteo(made: nasctl.dataset.criteo.Criteo) -> Dataset:
    return made


def dataset_criteosynthetic(made: nasctl.dataset.criteo_synthetic.CriteoSynthetic) -> Dataset:
    return made


def dataset_digits(made: nasctl.dataset.digits.Digits) -> Dataset:
    return made


def dataset_imagenet(made: nasctl.dataset.imagenet.ImageNet) -> Dataset:
    return made


def dataset_nodata(made: nasctl.dataset.none.NoData) -> Dataset:
    return made


def dataset_penntreebank(made: nasctl.dataset.ptb.PennTreebank) -> Dataset:
    return made


def dataset_pythondocs(made: nasctl.dataset.python_docs.PythonDocs) -> Dataset:
    return made


def trainer_classifier(made: nasctl.trainer.classifier.Classifier) -> Trainer:
    return made


def trainer_languagemodel(made: nasctl.trainer.language_model.LanguageModel) -> Trainer:
    return made


def trainer_schedule_cosine(made: nasctl.trainer.schedule.cosine.Cosine) -> Schedule:
    return made


def trainer_schedule_decay(made: nasctl.trainer.schedule.decay.Decay) -> Schedule:
    return made


def trainer_schedule_exponential(made: nasctl.trainer.schedule.exponential.Exponential) -> Schedule:
    return made


def trainer_schedule_linear(made: nasctl.trainer.schedule.linear.Linear) -> Schedule:
    return made


def reward_absolute(made: nasctl.reward.absolute.Absolute) -> Reward:
    return made


def reward_metric(made: nasctl.reward.metric.Metric) -> Reward:
    return made


def reward_perplexity(made: nasctl.reward.perplexity.Perplexity) -> Reward:
    return made


def reward_power(made: nasctl.reward.power.Power) -> Reward:
    return made


def constraint_limit(made: nasctl.constraint.limit.Limit) -> Constraint:
    return made


def constraint_unconstrained(made: nasctl.constraint.none.Unconstrained) -> Constraint:
    return made


def constraint_several(made: nasctl.constraint.several.Several) -> Constraint:
    return made
