// Whole hosts with daemons that are not ours (avahi, radvd, openvpn) and their own timers: what fails once is shown, and must pass the second time.
jest.retryTimes(1, { logErrorsBeforeRetry: true });
