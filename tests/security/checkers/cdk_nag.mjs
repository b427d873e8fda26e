// Runs cdk-nag's pack AwsSolutions on the CloudFormation templates of a folder, each included into a stack of its own.
// Writes {rules: [[template, rule]] that had something to look at, known: [rule], findings: [[where, what…]]} as JSON.

import fs from 'node:fs';
import path from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import { AwsSolutionsChecks, NagRuleCompliance } from 'cdk-nag';

const known = new Set();
const rules = new Map();
const findings = [];

class Checks extends AwsSolutionsChecks {
  applyRule({ node, rule, ruleSuffixOverride }) {
    const name = `${this.packName}-${ruleSuffixOverride ?? rule.name}`;
    known.add(name);
    const result = rule(node); // a rule that throws ends the run: it has judged nothing
    if (result === NagRuleCompliance.NOT_APPLICABLE) return;
    const template = Stack.of(node).stackName;
    rules.set(`${template} ${name}`, [template, name]);
    const found = Array.isArray(result) ? result : result === NagRuleCompliance.NON_COMPLIANT ? [''] : [];
    findings.push(...found.map((what) => [name, `${template}.${node.node.id}`, what]));
  }
}

const app = new App({ analyticsReporting: false });
const folder = process.argv[2];
for (const file of fs.readdirSync(folder)) {
  const stack = new Stack(app, path.parse(file).name);
  new CfnInclude(stack, 'Template', { templateFile: path.join(folder, file) });
}
new Checks(app).validateScope(app);
console.log(JSON.stringify({ rules: [...rules.values()], known: [...known], findings }));
