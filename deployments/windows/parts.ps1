# What install.ps1, upgrade.ps1 and uninstall.ps1 share: which tasks there are, and how Tonspur is
# called. It defines and does nothing. Windows PowerShell 5.1 is enough.

$TaskPath = '\Tonspur\'
$Parts = @('server', 'engine', 'worker')
$Root = Split-Path -Parent (Split-Path -Parent $PSScriptRoot)
$System = 'S-1-5-18'   # SYSTEM, whatever Windows calls it in its own language

# Runs a program with a list of arguments; PowerShell quotes each one that holds blanks.
function Invoke-Program {
    param([string]$Program, [string[]]$Arguments)
    & $Program @Arguments
    if ($LASTEXITCODE -ne 0) {
        throw "$Program $($Arguments -join ' ') ended with status $LASTEXITCODE."
    }
}

# The tasks that are registered; none is no error.
function Get-Part {
    Get-ScheduledTask -TaskPath $TaskPath -ErrorAction SilentlyContinue
}

# The interpreter that Tonspur is installed in: the one asked for, that of the tasks, or .venv.
function Find-Python {
    param([string]$Wanted)
    if (-not $Wanted) {
        $task = Get-Part | Select-Object -First 1
        if ($task) {
            $program = $task.Actions[0].Execute.Trim('"')
            $Wanted = Join-Path (Split-Path -Parent $program) 'python.exe'
        } else {
            $Wanted = Join-Path $Root '.venv\Scripts\python.exe'
        }
    }
    $folder = Split-Path -Parent $Wanted
    foreach ($program in @($Wanted, (Join-Path $folder 'pythonw.exe'))) {
        if (-not (Test-Path -LiteralPath $program -PathType Leaf)) {
            throw "$program is missing: install Tonspur first, or name its python.exe with -Python."
        }
    }
    return (Resolve-Path -LiteralPath $Wanted).ProviderPath
}

# STATE_DIR as Tonspur itself finds it; ends here where a setting cannot be used.
function Get-StateFolder {
    param([string]$Python)
    $before = [Console]::OutputEncoding
    Push-Location -LiteralPath $Root   # .env is read from there
    try {
        [Console]::OutputEncoding = [Text.Encoding]::UTF8
        $code = 'from engine.settings import load; print(load().state_dir)'
        $said = Invoke-Program $Python @('-P', '-X', 'utf8', '-c', $code)
        return ($said | Select-Object -Last 1)
    } finally {
        [Console]::OutputEncoding = $before
        Pop-Location
    }
}

# Only this user and SYSTEM may read it; what lies in a folder follows the folder.
function Protect-Path {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([string]$Path, [string]$User)
    if (-not (Test-Path -LiteralPath $Path)) { return }
    if (-not $PSCmdlet.ShouldProcess($Path, 'Let this user and SYSTEM alone read it')) { return }
    $rights = 'F'
    if (Test-Path -LiteralPath $Path -PathType Container) { $rights = '(OI)(CI)F' }
    $grants = @('/inheritance:r', '/grant:r', "*${User}:$rights", "*${System}:$rights", '/q')
    Invoke-Program 'icacls.exe' (@($Path) + $grants) | Out-Null
}

# Disabled first: Windows would start again within a minute what ends here.
function Stop-Part {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param([string]$Python)
    if (-not $PSCmdlet.ShouldProcess('Tonspur', 'Stop server, engine and worker')) { return }
    Get-Part | Disable-ScheduledTask | Out-Null
    Push-Location -LiteralPath $Root
    try {
        Invoke-Program $Python @('-P', '-X', 'utf8', '-m', 'tonspur', 'stop')
    } finally {
        Pop-Location
    }
    Get-Part | Stop-ScheduledTask
}

function Start-Part {
    [CmdletBinding(SupportsShouldProcess = $true)]
    param()
    if (-not $PSCmdlet.ShouldProcess('Tonspur', 'Start server, engine and worker')) { return }
    Get-Part | Enable-ScheduledTask | Out-Null
    Get-Part | Start-ScheduledTask
}
