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
import nasctl.estimator.sampler.fair
import nasctl.estimator.sampler.nsas
import nasctl.estimator.sampler.strategy
import nasctl.estimator.sampler.uniform
import nasctl.estimator.score.grad_norm
import nasctl.estimator.score.macs
import nasctl.estimator.score.naswot
import nasctl.estimator.score.params
import nasctl.estimator.score.synflow
import nasctl.estimator.stacked
import nasctl.estimator.supernet
import nasctl.estimator.synthetic
import nasctl.estimator.table
import nasctl.estimator.toy
import nasctl.estimator.unroll.exact
import nasctl.estimator.unroll.finite_difference
import nasctl.estimator.unroll.first_order
import nasctl.estimator.unroll.released
import nasctl.estimator.zero_cost
import nasctl.executor.serial
import nasctl.resource.latency
import nasctl.resource.macs
import nasctl.resource.params
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
import nasctl.strategy.crossover.uniform
import nasctl.strategy.darts
import nasctl.strategy.enumeration
import nasctl.strategy.evolution
import nasctl.strategy.feasibility.exact
import nasctl.strategy.feasibility.monte_carlo
import nasctl.strategy.feasibility.none
import nasctl.strategy.final_selection.best_trial
import nasctl.strategy.final_selection.last_trials
import nasctl.strategy.local_search
import nasctl.strategy.mutation.each_decision
import nasctl.strategy.mutation.one_decision
import nasctl.strategy.parent_selection.tournament
import nasctl.strategy.pick.best
import nasctl.strategy.pick.feasible
import nasctl.strategy.pick.mode
import nasctl.strategy.policy.independent
import nasctl.strategy.policy.lstm
import nasctl.strategy.policy.q_table
import nasctl.strategy.policy_search
import nasctl.strategy.random_search
import nasctl.strategy.reinforce
import nasctl.strategy.survival.age
import nasctl.strategy.survival.worst
import nasctl.strategy.tpe
import nasctl.strategy.update.baseline.moving_average
import nasctl.strategy.update.baseline.none
import nasctl.strategy.update.ppo
import nasctl.strategy.update.q_learning
import nasctl.strategy.update.reinforce
import nasctl.strategy.update.shaping.equal
import nasctl.strategy.update.shaping.last
import nasctl.strategy.update.vectorized_reinforce
import nasctl.trainer.classifier
import nasctl.trainer.language_model
import nasctl.trainer.schedule.cosine
import nasctl.trainer.schedule.decay
import nasctl.trainer.schedule.exponential
import nasctl.trainer.schedule.linear
from nasctl.core import (
    Constraint,
    Covering,
    Estimator,
    Executor,
    KeepsChildren,
    LookUp,
    Resource,
    Reward,
    SearchSpace,
    Strategy,
    TestedDataset,
    Trainer,
    TrainsEach,
    WeightSharing,
)
from nasctl.estimator.sampler._paths import PathSampler
from nasctl.estimator.score._untrained import Score
from nasctl.estimator.unroll._bilevel import Unroll
from nasctl.strategy.crossover import Crossover
from nasctl.strategy.feasibility import Feasibility
from nasctl.strategy.final_selection import FinalSelection
from nasctl.strategy.mutation import Mutation
from nasctl.strategy.parent_selection import ParentSelection
from nasctl.strategy.pick import Pick
from nasctl.strategy.policy import Policy
from nasctl.strategy.survival import Survival
from nasctl.strategy.update import Update, VectorizedUpdate
from nasctl.strategy.update.baseline import Baseline
from nasctl.strategy.update.shaping import Shaping
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


def strategy_enumeration(made: nasctl.strategy.enumeration.Enumeration) -> Strategy:
    return made


def strategy_evolution(made: nasctl.strategy.evolution.Evolution) -> Strategy:
    return made


def strategy_localsearch(made: nasctl.strategy.local_search.LocalSearch) -> Strategy:
    return made


def strategy_policysearch(made: nasctl.strategy.policy_search.PolicySearch) -> Strategy:
    return made


def strategy_randomsearch(made: nasctl.strategy.random_search.RandomSearch) -> Strategy:
    return made


def strategy_reinforce(made: nasctl.strategy.reinforce.Reinforce) -> Strategy:
    return made


def strategy_tpe(made: nasctl.strategy.tpe.TPE) -> Strategy:
    return made


def strategy_crossover_uniformcrossover(made: nasctl.strategy.crossover.uniform.UniformCrossover) -> Crossover:
    return made


def strategy_feasibility_exact(made: nasctl.strategy.feasibility.exact.Exact) -> Feasibility:
    return made


def strategy_feasibility_montecarlo(made: nasctl.strategy.feasibility.monte_carlo.MonteCarlo) -> Feasibility:
    return made


def strategy_feasibility_norejection(made: nasctl.strategy.feasibility.none.NoRejection) -> Feasibility:
    return made


def strategy_final_selection_besttrial(made: nasctl.strategy.final_selection.best_trial.BestTrial) -> FinalSelection:
    return made


def strategy_final_selection_lasttrials(made: nasctl.strategy.final_selection.last_trials.LastTrials) -> FinalSelection:
    return made


def strategy_mutation_eachdecision(made: nasctl.strategy.mutation.each_decision.EachDecision) -> Mutation:
    return made


def strategy_mutation_onedecision(made: nasctl.strategy.mutation.one_decision.OneDecision) -> Mutation:
    return made


def strategy_parent_selection_tournament(
    made: nasctl.strategy.parent_selection.tournament.Tournament,
) -> ParentSelection:
    return made


def strategy_pick_best(made: nasctl.strategy.pick.best.Best) -> Pick:
    return made


def strategy_pick_mostprobablefeasible(made: nasctl.strategy.pick.feasible.MostProbableFeasible) -> Pick:
    return made


def strategy_pick_mode(made: nasctl.strategy.pick.mode.Mode) -> Pick:
    return made


def strategy_policy_independent(made: nasctl.strategy.policy.independent.Independent) -> Policy:
    return made


def strategy_policy_lstm(made: nasctl.strategy.policy.lstm.Lstm) -> Policy:
    return made


def strategy_policy_qtable(made: nasctl.strategy.policy.q_table.QTable) -> Policy:
    return made


def strategy_survival_age(made: nasctl.strategy.survival.age.Age) -> Survival:
    return made


def strategy_survival_worst(made: nasctl.strategy.survival.worst.Worst) -> Survival:
    return made


def strategy_update_ppo(made: nasctl.strategy.update.ppo.PPO) -> Update:
    return made


def strategy_update_qlearning(made: nasctl.strategy.update.q_learning.QLearning) -> Update:
    return made


def strategy_update_reinforce(made: nasctl.strategy.update.reinforce.Reinforce) -> Update:
    return made


def strategy_update_vectorizedreinforce(
    made: nasctl.strategy.update.vectorized_reinforce.VectorizedReinforce,
) -> VectorizedUpdate:
    return made


def strategy_update_baseline_movingaverage(
    made: nasctl.strategy.update.baseline.moving_average.MovingAverage,
) -> Baseline:
    return made


def strategy_update_baseline_nobaseline(made: nasctl.strategy.update.baseline.none.NoBaseline) -> Baseline:
    return made


def strategy_update_shaping_equal(made: nasctl.strategy.update.shaping.equal.Equal) -> Shaping:
    return made


def strategy_update_shaping_last(made: nasctl.strategy.update.shaping.last.Last) -> Shaping:
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


def weightsharing_supernet(made: nasctl.estimator.supernet.Supernet) -> WeightSharing:
    return made


def lookup_synthetic(made: nasctl.estimator.synthetic.Synthetic) -> LookUp:
    return made


def lookup_table(made: nasctl.estimator.table.Table) -> LookUp:
    return made


def lookup_toy(made: nasctl.estimator.toy.Toy) -> LookUp:
    return made


def covering_table(made: nasctl.estimator.table.Table) -> Covering:
    return made


def keepschildren_fromscratch(made: nasctl.estimator.from_scratch.FromScratch) -> KeepsChildren:
    return made


def trainseach_fromscratch(made: nasctl.estimator.from_scratch.FromScratch) -> TrainsEach:
    return made


def executor_serial(made: nasctl.executor.serial.Serial) -> Executor:
    return made


def estimator_sampler_fair(made: nasctl.estimator.sampler.fair.Fair) -> PathSampler:
    return made


def estimator_sampler_nsas(made: nasctl.estimator.sampler.nsas.Nsas) -> PathSampler:
    return made


def estimator_sampler_ofstrategy(made: nasctl.estimator.sampler.strategy.OfStrategy) -> PathSampler:
    return made


def estimator_sampler_uniform(made: nasctl.estimator.sampler.uniform.Uniform) -> PathSampler:
    return made


def estimator_score_gradnorm(made: nasctl.estimator.score.grad_norm.GradNorm) -> Score:
    return made


def estimator_score_macs(made: nasctl.estimator.score.macs.Macs) -> Score:
    return made


def estimator_score_naswot(made: nasctl.estimator.score.naswot.Naswot) -> Score:
    return made


def estimator_score_params(made: nasctl.estimator.score.params.Params) -> Score:
    return made


def estimator_score_synflow(made: nasctl.estimator.score.synflow.Synflow) -> Score:
    return made


def estimator_unroll_exact(made: nasctl.estimator.unroll.exact.Exact) -> Unroll:
    return made


def estimator_unroll_finitedifference(made: nasctl.estimator.unroll.finite_difference.FiniteDifference) -> Unroll:
    return made


def estimator_unroll_firstorder(made: nasctl.estimator.unroll.first_order.FirstOrder) -> Unroll:
    return made


def estimator_unroll_released(made: nasctl.estimator.unroll.released.Released) -> Unroll:
    return made


def dataset_breastcancer(made: nasctl.dataset.breast_cancer.BreastCancer) -> TestedDataset:
    return made


def dataset_cifar(made: nasctl.dataset.cifar10.CIFAR) -> TestedDataset:
    return made


def dataset_criteo(made: nasctl.dataset.criteo.Criteo) -> TestedDataset:
    return made


def dataset_criteosynthetic(made: nasctl.dataset.criteo_synthetic.CriteoSynthetic) -> TestedDataset:
    return made


def dataset_digits(made: nasctl.dataset.digits.Digits) -> TestedDataset:
    return made


def dataset_imagenet(made: nasctl.dataset.imagenet.ImageNet) -> TestedDataset:
    return made


def dataset_nodata(made: nasctl.dataset.none.NoData) -> TestedDataset:
    return made


def dataset_penntreebank(made: nasctl.dataset.ptb.PennTreebank) -> TestedDataset:
    return made


def dataset_pythondocs(made: nasctl.dataset.python_docs.PythonDocs) -> TestedDataset:
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


def resource_latency(made: nasctl.resource.latency.Latency) -> Resource:
    return made


def resource_macs(made: nasctl.resource.macs.Macs) -> Resource:
    return made


def resource_params(made: nasctl.resource.params.Params) -> Resource:
    return made
